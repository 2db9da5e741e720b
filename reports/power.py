"""What a set's users can show: the smallest detectable difference against their number, and the published one."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.cell import Cell
from harness.paired.power import smallest_difference
from reports.figure import headline
from reports.style import BLUE, ORANGE, plain

TITLE = "What the test users can show"
CAPTION = (
    "The smallest difference that a paired test at 5 % finds with 80 % power, by number of users, at the observed "
    "variance of the difference between the paper's own system and its best published rival; the diamond is the number "
    "of users that the published difference needs."
)
DETECTABLE, PUBLISHED, OBSERVED = BLUE, ORANGE, "#222222"


def choose(cells: Sequence[Cell]) -> list[Cell]:
    """The first tested table's headline metric, on each data set the rival with the best published number.

    A rival from which the paper's own system differs by the same on every query says nothing of other users.
    """
    tested = [c for c in cells if c.test and c.test.comparison.mde_80 and c.published is not None]
    first = headline([cell for cell in tested if cell.table == tested[0].table])
    best: dict[str, Cell] = {}
    for cell in first:
        if cell.dataset not in best or (cell.published or 0) > (best[cell.dataset].published or 0):
            best[cell.dataset] = cell
    return list(best.values())


def draw(cells: Sequence[Cell]) -> Figure:
    """A panel a data set; both axes logarithmic.

    Args:
        cells: one tested cell a data set.
    """
    figure = Figure(figsize=(0.8 + 3.6 * len(cells), 3.2), layout="constrained")
    panels = figure.subplots(1, len(cells), squeeze=False)[0]
    for panel, cell in zip(panels, cells, strict=True):
        _panel(panel, cell)
    return figure


def _panel(panel: Axes, cell: Cell) -> None:
    test = cell.test
    assert test
    row = test.comparison
    needed = [n for n in (row.queries, test.published_n_needed) if n]
    users = np.geomspace(max(2, min(needed) / 10), 10 * max(needed), 100)
    detectable = [smallest_difference(row.deviation, n) or np.nan for n in users]
    panel.plot(users, detectable, color=DETECTABLE, label="80 % power at 5 %")
    panel.axvline(row.queries, color="#8a8a8a", linewidth=0.8, linestyle=":", label=f"{row.queries:,} users here")
    panel.plot(row.queries, abs(row.difference), "o", color=OBSERVED, label=f"observed, {row.difference:+.4f}")
    if gap := test.published_difference:
        panel.axhline(abs(gap), color=PUBLISHED, linewidth=1, label=f"published, {gap:+.4f}")
        if test.published_n_needed:
            panel.plot(test.published_n_needed, abs(gap), "D", mfc="none", mec=PUBLISHED)
            panel.annotate(
                f"{test.published_n_needed:,}",
                (test.published_n_needed, abs(gap)),
                textcoords="offset points",
                xytext=(4, 5),
                fontsize="small",
            )
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_title(f"{cell.dataset}: {row.a} against {row.b}", fontsize="medium")
    panel.set_xlabel("users")
    panel.set_ylabel(f"difference in {cell.metric}@{cell.k}")
    panel.legend(frameon=False, fontsize="x-small")
    plain(panel)
