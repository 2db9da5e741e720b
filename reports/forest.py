"""A forest plot: how far the paper's own system is above each other one, with intervals over users."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.cell import Cell
from reports.figure import PUBLISHED
from reports.style import BLUE, plain

TITLE = "The paper's own system against the others"
CAPTION = (
    "Mean paired differences on exact means; intervals over users, and over users and seeds where both systems have "
    "several; colours after Holm's correction over the table's family."
)
COLOURS = {"better": BLUE, "worse": "#b3261e", "open": "#8a8a8a"}
MEANING = {"better": "significantly better", "worse": "significantly worse", "open": "not significant"}


def choose(cells: Sequence[Cell]) -> list[Cell]:
    """The tested cells of the first table that has any."""
    tested = [cell for cell in cells if cell.test]
    return [cell for cell in tested if cell.table == tested[0].table]


def draw(cells: Sequence[Cell]) -> Figure:
    """A panel a data set, a line a system and metric; the published difference as a diamond.

    Args:
        cells: tested cells of one table.
    """
    datasets = list(dict.fromkeys(cell.dataset for cell in cells))
    lines = max(sum(cell.dataset == dataset for cell in cells) for dataset in datasets)
    figure = Figure(figsize=(2.4 + 3.6 * len(datasets), 1.4 + 0.19 * lines), layout="constrained")
    panels = figure.subplots(1, len(datasets), squeeze=False)[0]
    for panel, dataset in zip(panels, datasets, strict=True):
        _panel(panel, [cell for cell in cells if cell.dataset == dataset])
    marks = [Line2D([], [], marker="o", color=colour, label=MEANING[found]) for found, colour in COLOURS.items()]
    marks.append(Line2D([], [], **PUBLISHED, linestyle="none", label="published difference"))
    figure.legend(handles=marks, loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    return figure


def _panel(panel: Axes, cells: Sequence[Cell]) -> None:
    for line, cell in enumerate(cells):
        assert cell.test
        row = cell.test.comparison
        low, high = row.interval_deciding
        reach = [[row.difference - low], [high - row.difference]]
        colour = COLOURS[cell.test.finding()]
        panel.errorbar(row.difference, line, xerr=reach, fmt="o", markersize=3.5, color=colour, capsize=2)
        if cell.test.published_difference is not None:
            panel.plot(cell.test.published_difference, line, **PUBLISHED, markersize=4)
        if line and cell.system != cells[line - 1].system:
            panel.axhline(line - 0.5, color="#cccccc", linewidth=0.6)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_yticks(
        range(len(cells)), [f"{cell.system}  {cell.metric}@{cell.k}" for cell in cells], fontsize="x-small"
    )
    panel.set_ylim(len(cells) - 0.5, -0.5)
    own = cells[0].test.comparison.a if cells[0].test else ""
    panel.set_title(f"{cells[0].dataset}: {own} less the system", fontsize="medium")
    panel.set_xlabel("difference, 95 % interval")
    plain(panel, "x")
