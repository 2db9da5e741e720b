from pathlib import Path

import pytest

from harness.cells import cells
from harness.config import TaskConfig
from harness.papers import paper as papers
from harness.shown import Shown
from reports import sweep
from reports.render import FORMATS, render
from tests.made_runs import make_run

PAPER = papers.load("llm-trsr")
CANDIDATES = TaskConfig(name="candidates")


def made(folder: Path, recent: int, ranks: list[int], task: TaskConfig = CANDIDATES) -> object:
    return make_run(folder, "trsr-recurrent", ranks, dataset="ml-latest-small", settings={"recent": recent}, task=task)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_line_has_a_point_a_value_and_none_of_other_tasks(format_: str, tmp_path: Path) -> None:
    runs = [made(tmp_path, 0, [1, 9]), made(tmp_path, 5, [1, 2]), made(tmp_path, 3, [1, 1], TaskConfig())]
    found = cells(PAPER, "figure9", runs)
    assert len(found) == 2 * 2 * 5 * 2
    shown = {(cell.x, cell.metric): cell.mean for cell in found if cell.mean is not None}
    expected = {(0, "Recall"): 0.5, (5, "Recall"): 1.0, (0, "MRR"): (1 + 1 / 9) / 2, (5, "MRR"): 0.75}
    assert shown == pytest.approx(expected)
    text = render(Shown("llm-trsr", found), runs, format_, "typed")
    assert "0.75" in text
    assert format_ in ("csv", "json") or "Figure 9" in text


def test_the_picture_stands_at_the_values_in_their_order(tmp_path: Path) -> None:
    found = cells(PAPER, "figure9", [made(tmp_path, 10, [1, 2]), made(tmp_path, 0, [1, 9])])
    ((table, line),) = sweep.choose(found).items()
    assert table == "figure9"
    recall, reciprocal = sweep.draw(line, "recent").axes
    assert [label.get_text() for label in recall.get_xticklabels()] == ["0", "10"]
    assert recall.get_lines()[0].get_ydata().tolist() == [0.5, 1.0]
    assert reciprocal.get_ylabel() == "MRR@10"
