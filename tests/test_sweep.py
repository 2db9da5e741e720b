from pathlib import Path

import pytest

from harness.cells import cells
from harness.config import Profile, TaskConfig
from harness.papers import paper as papers
from harness.shown import Shown
from harness.store import Run
from reports import sweep
from reports.render import FORMATS, render
from reports.table import grid
from tests.made_runs import make_run, of_profile

PAPER = papers.load("llm-trsr")


def made(folder: Path, recent: int, ranks: list[int], **other: object) -> Run:
    return make_run(folder, "trsr-recurrent", ranks, **of_profile("trsr-recurrent", recent=recent) | other)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_line_has_a_point_a_value_and_none_of_other_tasks(format_: str, tmp_path: Path) -> None:
    runs = [
        made(tmp_path, 0, [1, 9]),
        made(tmp_path, 5, [1, 2]),
        made(tmp_path, 3, [1, 1], task=TaskConfig()),
    ]
    found = cells(PAPER, "figure9", runs)
    assert len(found) == 3 * 2 * 5 * 2
    shown = {(cell.x, cell.metric): cell.mean for cell in found if cell.mean is not None}
    expected = {(0, "Recall"): 0.5, (5, "Recall"): 1.0, (0, "MRR"): (1 + 1 / 9) / 2, (5, "MRR"): 0.75}
    assert shown == pytest.approx(expected)
    text = render(Shown("llm-trsr", found), runs, format_, "typed")
    assert "0.75" in text
    assert format_ in ("csv", "json") or "Figure 9" in text


def test_a_point_is_its_profiles_own_but_for_the_setting(tmp_path: Path) -> None:
    def run(profile: Profile, seconds: int, **changes: object) -> Run:
        given = of_profile("trsr-recurrent", profile, **changes)
        return make_run(tmp_path, "trsr-recurrent", [1, 2], started_at=f"2026-01-01T00:00:0{seconds}+00:00", **given)

    without = run("cpu", 1, summarizer="none")
    both_changed = run("cpu", 2, summarizer="none", recent=0)
    frequent = run("smoke", 3, summarizer="frequent")
    runs = [without, both_changed, frequent]
    found = [cell for cell in cells(PAPER, "figure11", runs) if cell.runs]
    assert {(cell.x, cell.runs, cell.configurations) for cell in found} == {
        ("none", (without.record.run,), 1),
        ("frequent", (frequent.record.run,), 1),
    }
    foot = dict(grid(PAPER, "figure11", found, runs, "typed").foot)
    assert foot["Profile and seeds"] == (
        "cpu, seed 42 (LLM-TRSR-Recurrent at none on MovieLens), otherwise smoke, seed 42"
    )


def test_the_picture_stands_at_the_values_in_their_order(tmp_path: Path) -> None:
    found = cells(PAPER, "figure9", [made(tmp_path, 10, [1, 2]), made(tmp_path, 0, [1, 9])])
    ((table, line),) = sweep.choose(found).items()
    assert table == "figure9"
    recall, reciprocal = sweep.draw(line, "recent", PAPER.table(table).values).axes
    assert [label.get_text() for label in recall.get_xticklabels()] == ["0", "10"]
    assert recall.get_lines()[0].get_ydata().tolist() == [0.5, 1.0]
    assert recall.get_xticks().tolist() == [0, 10]
    assert reciprocal.get_ylabel() == "MRR@10"


@pytest.mark.parametrize(("numbers", "wanted"), [(True, [0, 3, 10]), (False, [0, 1, 2])])
def test_a_line_without_a_point_leaves_the_others_in_their_places(
    tmp_path: Path, numbers: bool, wanted: list[int]
) -> None:
    figure, setting = ("figure9", "recent") if numbers else ("figure11", "summarizer")
    values = (0, 3, 10) if numbers else ("none", "frequent", "smollm2-135m")
    runs = [
        make_run(tmp_path, system, [1, 2], **of_profile(system, **{setting: value}))
        for system, own in (("trsr-hierarchical", values[1:]), ("trsr-recurrent", values))
        for value in own
    ]
    (drawn,) = sweep.choose(cells(PAPER, figure, runs)).values()
    panel = sweep.draw(drawn, setting, PAPER.table(figure).values).axes[0]
    lines = [container[0] for container in panel.containers]
    first, second = (line.get_xdata() for line in lines)
    assert first.tolist() == wanted[1:]
    assert (second - wanted).tolist() == pytest.approx([0.03 * max(wanted)] * 3)  # beside the first one's
    assert {line.get_linestyle() for line in lines} == {"-" if numbers else "None"}
    assert [label.get_text() for label in panel.get_xticklabels()] == [str(value) for value in values]
