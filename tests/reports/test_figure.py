from pathlib import Path

from harness.cell import Cell
from harness.cells import cells
from reports import figure, sweep
from tests.made_runs import make_run
from tests.reports.conftest import PAPER


def test_one_metric_of_the_first_table_that_was_run(all_cells: list[Cell], tmp_path: Path) -> None:
    chosen = figure.choose(all_cells)
    assert {(cell.table, cell.metric, cell.k) for cell in chosen} == {("1", "NDCG", 10)}
    assert len(chosen) == 18
    beauty = [make_run(tmp_path, "llamarec", [1, 2], dataset="amazon-beauty-2014")]
    assert {cell.table for cell in figure.choose(cells(PAPER, "4", beauty))} == {"4"}


def test_nothing_run_gives_no_picture() -> None:
    assert figure.choose(cells(PAPER, "1", [])) == []


def test_means_and_published_values_stand_where_they_should(all_cells: list[Cell]) -> None:
    chosen = figure.choose(all_cells)
    panels = figure.draw(chosen).axes
    assert [panel.get_title() for panel in panels] == ["ML-100k", "Beauty (not run)", "Games (not run)"]
    lines = panels[0].get_lines()
    drawn = {(float(x), float(y)) for line in lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    for place, cell in enumerate(chosen[:6]):
        for value in (cell.mean, cell.published):
            assert value is None or any(abs(x - value) < 1e-12 and y == place for x, y in drawn)
    assert [label.get_text() for label in panels[0].get_yticklabels()][-1] == "LlamaRec"
    bottom, top = panels[0].get_ylim()
    assert bottom > top


def test_an_interval_beside_its_mean_is_drawn(all_cells: list[Cell]) -> None:
    """Under ``batch-mean:N`` few users of the last batch may lift the mean out of the interval over users."""
    beside = [cell.model_copy(update={"mean": 0.0816, "low": 0.0466, "high": 0.0768}) for cell in all_cells]
    assert figure.draw(figure.choose(beside)).axes
    point = beside[0].model_copy(update={"x": 5})
    assert sweep.draw([point], "recent", [5]).axes
