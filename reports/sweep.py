"""A picture of metrics against one setting, a panel a data set and metric, a line a system."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.cell import Cell
from reports.style import PALETTE, plain, reach

Value = str | int

CAPTION = "Means with their 95 % intervals."
APART = 0.03  # of the abscissa, so that intervals of several systems can be told apart


def choose(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Figure -> its cells that were run, for each figure of which anything was."""
    ran = [cell for cell in cells if cell.x is not None and cell.k is not None and cell.mean is not None]
    return {table: [cell for cell in ran if cell.table == table] for table in dict.fromkeys(cell.table for cell in ran)}


def draw(cells: Sequence[Cell], setting: str, values: Sequence[Value]) -> Figure:
    """One figure's picture.

    Args:
        cells: those that were run, each line in the order of the values.
        setting: the abscissa.
        values: of the setting, in the figure's order; numbers stand at their distances and are joined, names are not.
    """
    panels = list(dict.fromkeys((cell.dataset, cell.metric, cell.k) for cell in cells))
    figure = Figure(figsize=(1 + 3.4 * len(panels), 3.2), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    ran = [value for value in values if any(cell.x == value for cell in cells)]
    are_numbers = all(isinstance(value, int) for value in values)
    places: dict[Value | None, int] = {v: int(v) if are_numbers else place for place, v in enumerate(ran)}
    for panel, (dataset, metric, k) in zip(axes, panels, strict=True):
        own = [cell for cell in cells if (cell.dataset, cell.metric, cell.k) == (dataset, metric, k)]
        _panel(panel, own, places, "o-" if are_numbers else "o")
        panel.set_title(dataset, fontsize="medium")
        panel.set_ylabel(f"{metric}@{k}")
        panel.set_xlabel(setting.replace("_", " "))
    axes[0].legend(frameon=False, fontsize="small")
    return figure


def _panel(panel: Axes, cells: Sequence[Cell], places: Mapping[Value | None, int], stroke: str) -> None:
    apart = APART * max(1, max(places.values(), default=1))
    for number, (colour, system) in enumerate(zip(PALETTE, dict.fromkeys(cell.system for cell in cells), strict=False)):
        line = [cell for cell in cells if cell.system == system]
        xs = [places[cell.x] + number * apart for cell in line]
        means = [cell.mean or 0.0 for cell in line]
        below, above = zip(*map(reach, line), strict=True)
        panel.errorbar(xs, means, yerr=[below, above], fmt=stroke, color=colour, capsize=3, label=system)
    panel.set_xticks(list(places.values()), [str(value) for value in places])
    plain(panel)
