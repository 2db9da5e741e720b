"""What the repository keeps: runs, the report rendered from them, and the README's excerpt of it."""

import re
from pathlib import Path

import pytest

import baselines  # noqa: F401  registers the systems
from harness import store
from harness.costs.kept import all_costs
from harness.reproduce import parse_targets
from harness.selection import SUFFIX, all_selections
from harness.shown import Shown, shown
from reports.render import write

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reports" / "reference"
COMMAND = "harness report {0} --runs reports/reference --out reports/reference/{0}"
PAPERS = sorted(folder.name for folder in REFERENCE.iterdir())


@pytest.fixture(scope="module")
def runs() -> list[store.Run]:
    return store.all_runs(REFERENCE, probed=True)


@pytest.fixture(scope="module")
def reports(runs: list[store.Run]) -> dict[str, Shown]:
    found = shown(parse_targets(PAPERS), runs, all_selections(REFERENCE), all_costs(REFERENCE), None)
    return {each.paper: each for each in found}


@pytest.mark.parametrize("paper", PAPERS)
def test_the_kept_runs_give_the_kept_report_byte_for_byte(
    tmp_path: Path, runs: list[store.Run], reports: dict[str, Shown], paper: str
) -> None:
    written = write(reports[paper], runs, tmp_path, COMMAND.format(paper))
    kept = REFERENCE / paper
    files = {path.name for path in kept.iterdir() if path.is_file() and not path.name.endswith(SUFFIX)}
    assert {path.name for path in written} == files - {"NOTES.md"}
    for path in written:
        if path.suffix in (".md", ".tex", ".csv", ".json"):
            assert path.read_bytes() == (kept / path.name).read_bytes(), path.name


def test_the_kept_runs_come_from_a_clean_commit(runs: list[store.Run]) -> None:
    assert runs
    assert all(run.record.git_sha and run.record.dirty is False for run in runs)


def test_the_readmes_table_is_the_reports(reports: dict[str, Shown]) -> None:
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \[([\d.]+), ([\d.]+)\] \| ([\d.]+|-) \| ([a-z ]+) \|$", _readme(), re.M)
    shown = {
        cell.system: cell
        for cell in reports["llamarec"].cells
        if (cell.table, cell.dataset, cell.metric, cell.k) == ("1", "ML-100k", "NDCG", 10)
    }
    assert [system for system, *_ in rows] == list(shown)
    for system, *numbers, published, verdict in rows:
        cell = shown[system]
        assert numbers == [f"{value:.4f}" for value in (cell.mean, cell.low, cell.high)]
        assert (published, verdict) == (cell.printed or "-", cell.verdict)


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")
