"""Accuracy against latency: which way to rank is worth its time."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.costs.rows import CostRow
from reports.latency import labelled, styles
from reports.style import plain

CAPTION = (
    "NDCG@10 with its 95 % interval over the users asked, against the median time of one request at the title length "
    "that was measured nearest to 20 tokens; filled: nothing on the same machine is better in one and as good in the "
    "other."
)
TYPICAL_TOKENS = 20


def choose(rows: Sequence[CostRow]) -> list[CostRow]:
    """Single requests of known accuracy, of each checkpoint and method the one nearest to the typical title."""
    nearest: dict[tuple[str, str, str], CostRow] = {}
    for row in rows:
        cost = row.cost.cost
        key = (row.cost.machine, cost.checkpoint, cost.method)
        if row.ndcg is None or cost.batch != 1:
            continue
        if key not in nearest or _far(row) < _far(nearest[key]):
            nearest[key] = row
    return list(nearest.values())


def _far(row: CostRow) -> float:
    return abs(row.cost.cost.title_tokens - TYPICAL_TOKENS)


def draw(rows: Sequence[CostRow]) -> Figure:
    """A panel a machine, the time logarithmic.

    Args:
        rows: of known accuracy, those of a machine in a row.
    """
    machines = [(name, list(own)) for name, own in groupby(rows, key=lambda row: row.cost.machine)]
    drawn = styles(map(_label, rows))
    figure = Figure(figsize=(3.0 + 4.0 * len(machines), 3.8), layout="constrained")
    panels = figure.subplots(1, len(machines), sharey=True, squeeze=False)[0]
    for panel, (machine, own) in zip(panels, machines, strict=True):
        _plot(panel, own, drawn)
        panel.set_title(machine, fontsize="small")
    panels[0].set_ylabel("NDCG@10 over the users asked")
    handles = [Line2D([], [], linestyle="none", label=label, **style) for label, style in drawn.items()]
    figure.legend(handles=handles, frameon=False, fontsize="x-small", loc="outside right center")
    return figure


def _label(row: CostRow) -> str:
    return f"{labelled(row)}, {row.cost.cost.model.name}"


def is_beaten(row: CostRow, rows: Sequence[CostRow]) -> bool:
    """Whether another one is faster and no less accurate, or more accurate and no slower."""
    accuracy, ms = row.ndcg or 0.0, row.cost.cost.p50_ms
    others = {(other.ndcg or 0.0, other.cost.cost.p50_ms) for other in rows} - {(accuracy, ms)}
    return any(theirs >= accuracy and their_ms <= ms for theirs, their_ms in others)


def _plot(panel: Axes, rows: Sequence[CostRow], drawn: dict[str, dict[str, Any]]) -> None:
    """One machine's ways to rank."""
    for row in rows:
        seconds, ndcg = row.cost.cost.p50_ms / 1e3, row.ndcg or 0.0
        reach = [[ndcg - (row.low or 0.0)], [(row.high or 0.0) - ndcg]]
        style = drawn[_label(row)]
        fill = "none" if is_beaten(row, rows) else style["color"]
        panel.errorbar(seconds, ndcg, yerr=reach, linestyle="none", mfc=fill, capsize=3, linewidth=0.8, **style)
    panel.set_xscale("log")
    panel.set_xlabel("seconds a request")
    panel.margins(x=0.1)
    plain(panel)
