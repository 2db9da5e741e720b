from pathlib import Path

import pytest

from harness import cells, store
from harness.costs import rows as cost_rows
from harness.costs.kept import all_costs
from harness.errors import InputError
from harness.keeping import keep
from harness.papers import paper as papers
from harness.record import FitRecord
from harness.resolve import resolve
from harness.selection import SUFFIX, Selection
from harness.shown import Shown
from harness.store import Run
from tests.made_costs import made_cost
from tests.made_runs import SMOL, make_run, make_search, of_profile

PAPER = papers.load("llamarec")


def with_files(run: Run, *names: str) -> Run:
    """The run as if it had written those files too."""
    digests = {}
    for name in names:
        (run.folder / name).write_bytes(name.encode())
        digests[name] = store.sha256_of(run.folder / name)
    record = run.record.model_copy(update={"files": run.record.files | digests})
    record = record.model_copy(update={"seal": record.digest()})
    (run.folder / store.RECORD).write_text(record.model_dump_json())
    return store.open_run(run.folder)


def test_what_is_kept_rebuilds_the_cells_and_can_be_checked(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    retriever = with_files(make_run(runs, "lrurec", [1, 30]), store.WEIGHTS, store.LISTS)
    ranker = make_run(runs, "llamarec", [2, 30], retriever=retriever, asked=[True, False])
    ranker = with_files(ranker, store.WEIGHTS)
    narm = with_files(make_run(runs, "narm", [3, 4]), store.WEIGHTS, store.LISTS)
    unused = make_run(runs, "narm", [9, 9], profile="smoke")
    everything = [retriever, ranker, narm, unused]
    shown = cells.cells(PAPER, "1", everything)

    keep([Shown("llamarec", shown, [])], everything, [], tmp_path / "kept")
    kept = store.all_runs(tmp_path / "kept")
    again = cells.cells(PAPER, "1", kept)
    drop = {"configurations": None}  # the run that no cell shows is not kept, and so not counted
    assert [c.model_copy(update=drop) for c in again] == [c.model_copy(update=drop) for c in shown]
    names = {run.config.system: {path.name for path in run.folder.iterdir()} for run in kept}
    assert set(names) == {"lrurec", "llamarec", "narm"}
    evidence = {*store.EVIDENCE, store.RECORD}
    assert names["lrurec"] == evidence | {store.LISTS}
    assert names["llamarec"] == evidence | {store.WEIGHTS}
    assert names["narm"] == evidence


def test_an_adapter_is_kept_with_the_run_that_tuned_it_alone(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    lists = with_files(make_run(runs, "lrurec", [1, 2]), store.LISTS)
    tuned = with_files(make_run(runs, "llamarec", [1, 2], retriever=lists, model=SMOL), store.WEIGHTS)
    taken, asked = FitRecord(notes={"weights_of_run": tuned.record.run}), {"adapter": "llamarec", "output": "titles"}
    settings = asked | {"constrained": False}
    made = make_run(runs, "title-generator", [2, 1], retriever=lists, settings=settings, model=SMOL, fit=taken)
    borrowed = with_files(made, store.WEIGHTS)
    costs = [made_cost(method, checkpoint=tuned.record.run) for method in ("verbalizer", "titles")]
    rows = cost_rows.rows(PAPER, "figure3", costs, [tuned, borrowed])
    assert {row.run for row in rows} == {tuned.record.run, borrowed.record.run}
    titles = [row for row in rows if row.run == borrowed.record.run]
    for place, own in enumerate((rows, titles)):
        keep([Shown("llamarec", [], own)], [lists, tuned, borrowed], [], tmp_path / str(place))
        assert [path.parent.name for path in (tmp_path / str(place)).rglob(store.WEIGHTS)] == [tuned.folder.name]


def test_costs_are_kept_once_whatever_shows_them(tmp_path: Path) -> None:
    shared, alone = made_cost(tokens=10, retriever_ms=50.0), made_cost(tokens=10, history=5)
    rows = cost_rows.rows(PAPER, "figure3", [shared], [])
    copies = keep([Shown("llamarec", [], rows, serving=[shared, alone])], [], [], tmp_path)
    assert len(copies) == 2
    assert sorted(all_costs(tmp_path), key=lambda kept: kept.cost.history) == [alone, shared]


def selected(system: str, settings: dict[str, float]) -> Selection:
    config = resolve(system, "ml-latest-small", "paper", 42, "cpu", settings)
    return make_search(config, [settings], started_at="2026-01-02T00:00:00+00:00")


def test_what_was_tested_before_its_search_and_is_shown_keeps_its_files(tmp_path: Path) -> None:
    runs, search = tmp_path / "runs", selected("lrurec", {"dropout": 0.5})
    taken = {"settings": search.config.settings, "task": search.config.task}
    retriever = with_files(make_run(runs, "lrurec", [1, 30], **taken), store.LISTS)
    ranker = make_run(runs, "llamarec", [2, 30], retriever=retriever, asked=[True, False])
    both = [retriever, with_files(ranker, store.WEIGHTS)]
    shown = [Shown("llamarec", cells.cells(PAPER, "1", both), [])]
    copies = keep(shown, both, [search, selected("narm", {"dropout": 0.1})], tmp_path / "kept")
    assert (tmp_path / "kept" / retriever.folder.name / store.LISTS).exists()
    assert [path.name for path in copies if path.name.endswith(SUFFIX)] == [
        path.name for path in (tmp_path / "kept").glob(f"lrurec-*{SUFFIX}")
    ]
    with pytest.raises(InputError, match=f"retriever's run {retriever.record.run} is not among the runs"):
        keep([Shown("llamarec", cells.cells(PAPER, "1", both[1:]), [])], both[1:], [], tmp_path / "other")


def test_summaries_are_kept(tmp_path: Path) -> None:
    made = make_run(tmp_path / "runs", "trsr-recurrent", [1, 2], model=SMOL, **of_profile("trsr-recurrent"))
    run = with_files(made, store.SUMMARIES, store.WEIGHTS)
    shown = Shown("llm-trsr", cells.cells(papers.load("llm-trsr"), "2", [run]), [])
    keep([shown], [run], [], tmp_path / "kept")
    (copy,) = store.all_runs(tmp_path / "kept")
    assert {path.name for path in copy.folder.iterdir()} == {*store.EVIDENCE, store.RECORD, store.SUMMARIES}
