from pathlib import Path

import pytest

from harness.cell import Cell
from harness.cells import cells
from harness.store import Run
from reports import forest, power
from reports.pictures import pictures
from tests.made_runs import make_run
from tests.reports.conftest import PAPER


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    """NARM worse than the paper's own system, LRURec better, 60 users."""
    folder = tmp_path_factory.mktemp("tested")
    retriever = make_run(folder, "lrurec", [1] * 50 + [30] * 10)
    own = make_run(folder, "llamarec", [4] * 50 + [30] * 10, retriever=retriever)
    return cells(PAPER, "1", [retriever, own, make_run(folder, "narm", [30] * 60)])


def test_without_runs_there_is_nothing_to_draw() -> None:
    assert pictures(cells(PAPER, "1", []), []) == []


def test_pictures_are_the_same_every_time_and_tell_nothing_of_the_machine(
    all_cells: list[Cell], runs: list[Run]
) -> None:
    first, second = pictures(all_cells, runs), pictures(all_cells, runs)
    assert first == second
    assert [each.file("p") for each in first] == ["p.svg", "p-forest.svg", "p-power.svg", "p-learning.svg"]
    for each in first:
        assert each.svg.startswith("<svg")
        assert "matplotlib.org" not in each.svg
        assert "<dc:date>" not in each.svg


def test_a_forest_has_a_line_a_test_at_its_difference(tested: list[Cell]) -> None:
    chosen = forest.choose(tested)
    assert [(cell.system, cell.metric, cell.k) for cell in chosen][:2] == [("NARM", "MRR", 5), ("NARM", "NDCG", 5)]
    assert {cell.system for cell in chosen} == {"NARM", "LRURec"}
    (panel,) = forest.draw(chosen).axes
    drawn = {(float(x), float(y)): line.get_color() for line in panel.get_lines() for x, y in line.get_xydata()}
    for place, cell in enumerate(chosen):
        colour = drawn[cell.test.comparison.difference, place]
        tied = cell.metric == "Recall" and cell.system == "LRURec"
        assert colour == forest.COLOURS["open" if tied else "better" if cell.system == "NARM" else "worse"]
        assert (cell.test.published_difference, place) in drawn


def test_the_power_curve_passes_where_a_difference_needs_that_many_users(tested: list[Cell]) -> None:
    (chosen,) = power.choose(tested)
    assert (chosen.system, chosen.metric, chosen.k) == ("LRURec", "NDCG", 10)
    (panel,) = power.draw([chosen]).axes
    curve = panel.get_lines()[0].get_xydata()
    deviation = chosen.test.comparison.se_users * 60**0.5
    for users, difference in curve[::20]:
        assert difference == pytest.approx(2.801585 * deviation / users**0.5, rel=1e-6)
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels[1] == "60 users here"
    assert labels[2] == f"observed, {chosen.test.comparison.difference:+.4f}"


def test_a_panel_stands_for_each_data_set(tmp_path: Path) -> None:
    runs = []
    for dataset in ("ml-latest-small", "amazon-games-2014"):
        retriever = make_run(tmp_path, "lrurec", [1, 2, 3], dataset=dataset)
        runs += [retriever, make_run(tmp_path, "llamarec", [3, 2, 1], dataset=dataset, retriever=retriever)]
    found = cells(PAPER, "1", runs)
    for module in (forest, power):
        assert len(module.draw(module.choose(found)).axes) == 2
