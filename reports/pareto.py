"""Accuracy against latency: which way to rank is worth its time."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from harness.cost_rows import CostRow
from reports.latency import labelled

CAPTION = (
    "NDCG@10 with its 95 % interval over the users asked, against the median time of one request at the title length "
    "that was measured nearest to 20 tokens; what no other beats in both is filled."
)
TYPICAL_TOKENS = 20
COLOUR = "#1f5fa8"


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
    """One panel, the time logarithmic.

    Args:
        rows: of known accuracy.
    """
    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    panel = figure.subplots()
    for row in rows:
        seconds, ndcg = row.cost.cost.p50_ms / 1e3, row.ndcg or 0.0
        beaten = any((o.ndcg or 0) > ndcg and o.cost.cost.p50_ms < row.cost.cost.p50_ms for o in rows)
        reach = [[ndcg - (row.low or 0.0)], [(row.high or 0.0) - ndcg]]
        panel.errorbar(seconds, ndcg, yerr=reach, fmt="o", color=COLOUR, mfc="none" if beaten else COLOUR, capsize=3)
        label = f"{labelled(row)}, {row.cost.cost.model.name}"
        panel.annotate(label, (seconds, ndcg), textcoords="offset points", xytext=(6, 4), fontsize="x-small")
    panel.set_xscale("log")
    panel.set_xlabel("seconds a request")
    panel.set_ylabel("NDCG@10 over the users asked")
    panel.margins(x=0.25)
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    return figure
