"""One picture: reproduced means and their intervals against the published values."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.cell import Cell
from reports.style import BLUE, ORANGE, plain, reach

TITLE = "Reproduced and published"
CAPTION = "The first table of which anything was run."
PREFERRED = "NDCG"
SALT = "llmrec-harness"
PUBLISHED: dict[str, Any] = {"marker": "D", "markerfacecolor": "none", "markeredgecolor": ORANGE}


def choose(cells: Sequence[Cell]) -> list[Cell]:
    """The cells to draw: the headline metric of the first table in which anything was run on a system."""
    of_systems = [cell for cell in cells if cell.system and cell.x is None]
    tables = [cell.table for cell in of_systems if cell.mean is not None]
    return headline([cell for cell in of_systems if tables and cell.table == tables[0]])


def headline(cells: Sequence[Cell]) -> list[Cell]:
    """Those cells of a table that have its last NDCG, or, without any, its last metric."""
    ats = list(dict.fromkeys((cell.metric, cell.k) for cell in cells))
    chosen = [at for at in ats if at[0] == PREFERRED] or ats
    return [cell for cell in cells if (cell.metric, cell.k) == chosen[-1]]


def draw(cells: Sequence[Cell]) -> Figure:
    """A panel a data set, a line a system: the mean as a dot on its 95 % interval, the published value as a diamond.

    Args:
        cells: one metric of one table.
    """
    datasets = list(dict.fromkeys(cell.dataset for cell in cells))
    figure = Figure(figsize=(1.2 + 3.4 * len(datasets), 3.2), layout="constrained")
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for panel, dataset in zip(panels, datasets, strict=True):
        _panel(panel, dataset, [cell for cell in cells if cell.dataset == dataset])
    reproduced = Line2D([], [], marker="o", color=BLUE, label="reproduced, 95 % interval")
    published = Line2D([], [], **PUBLISHED, linestyle="none", label="published")
    figure.legend(handles=[reproduced, published], loc="outside lower center", ncols=2, frameon=False)
    return figure


def _panel(panel: Axes, dataset: str, cells: Sequence[Cell]) -> None:
    for line, cell in enumerate(cells):
        if cell.mean is not None and cell.low is not None and cell.high is not None:
            below, above = reach(cell)
            panel.errorbar(cell.mean, line, xerr=[[below], [above]], fmt="o", color=BLUE, capsize=3)
        if cell.published is not None:
            panel.plot(cell.published, line, **PUBLISHED)
    panel.set_yticks(range(len(cells)), [cell.system or "" for cell in cells])
    panel.set_ylim(len(cells) - 0.5, -0.5)
    panel.set_title(dataset if any(cell.mean is not None for cell in cells) else f"{dataset} (not run)")
    panel.set_xlabel(f"{cells[0].metric}@{cells[0].k}")
    panel.margins(x=0.1)
    panel.set_xlim(left=0)
    plain(panel, "x")


def as_svg(figure: Figure) -> str:
    """A figure as an SVG element, the same bytes every time."""
    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": SALT}):
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return text.getvalue()[text.getvalue().index("<svg") :]
