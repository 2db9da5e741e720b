"""Figure 3 of LlamaRec in the paper's arrangement: seconds by length of titles, published points told from ours."""

from collections.abc import Iterable, Sequence
from itertools import cycle, groupby, product
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.cell import Cell
from harness.costs.rows import NOT_TUNED, CostRow
from harness.llm.ranking_cost import VERBALIZER, RankingCost
from reports.costs import backbone
from reports.figure import PUBLISHED
from reports.style import BLUE, ORANGE, OTHERS, plain

CAPTION = (
    "Median seconds of one request, by the average number of tokens of a title; dotted: the floor that arithmetic and "
    "memory traffic set; diamonds: published, on a machine that the paper does not name."
)
COLOURS = {VERBALIZER: BLUE, "titles": ORANGE}


def draw(rows: Sequence[CostRow], cells: Sequence[Cell]) -> Figure:
    """A panel a backbone and machine, a line a method and checkpoint, the time logarithmic.

    Args:
        rows: the figure's costs of single requests, one at least.
        cells: its cells, for the published points.
    """
    drawn = styles(map(labelled, rows))
    panels = [(key, list(own)) for key, own in groupby(rows, key=_panel_of)]
    figure = Figure(figsize=(1.5 + 4.2 * len(panels), 4.0), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for panel, ((model, machine), own) in zip(axes, panels, strict=True):
        lines: dict[tuple[str, str], list[RankingCost]] = {}
        for row in own:
            lines.setdefault((labelled(row), row.cost.cost.checkpoint), []).append(row.cost.cost)
        for (label, _), line in lines.items():
            tokens = [cost.title_tokens for cost in line]
            panel.plot(tokens, [cost.p50_ms / 1e3 for cost in line], "-", **drawn[label], markersize=4)
            panel.plot(tokens, [cost.floor_ms / 1e3 for cost in line], ":", color=drawn[label]["color"], linewidth=0.9)
        points = [(int(cell.x or 0), cell.published) for cell in cells if cell.published is not None]
        panel.plot(*zip(*points, strict=True), **PUBLISHED, linestyle="none")
        panel.set_title(f"{model}\n{machine}", fontsize="small")
        panel.set_yscale("log")
        panel.set_xlabel("tokens a title")
        plain(panel)
    axes[0].set_ylabel("seconds a request")
    handles = [Line2D([], [], markersize=4, label=label, **style) for label, style in drawn.items()]
    handles.append(Line2D([], [], **PUBLISHED, linestyle="none", label="published"))
    figure.legend(handles=handles, frameon=False, fontsize="x-small", loc="outside right center")
    return figure


def styles(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each label; no two have both alike, of 27 beside the paper's."""
    others = cycle(product("os^", OTHERS))
    found = {}
    for label in dict.fromkeys(labels):
        marker, colour = ("o", COLOURS[label]) if label in COLOURS else next(others)
        found[label] = {"marker": marker, "color": colour}
    return found


def labelled(row: CostRow) -> str:
    """The method, and what the checkpoint was tuned for where that is not what it is asked for.

    Nothing is said of random weights, which can only be timed.
    """
    cost = row.cost.cost
    if row.tuned_for == cost.method.split(", ")[0]:
        return cost.method
    if cost.bare:
        return cost.method + (f" ({NOT_TUNED})" if row.why_none == NOT_TUNED else "")
    return f"{cost.method} ({f'tuned for {row.tuned_for}' if row.tuned_for else f'run {cost.checkpoint[:8]}'})"


def _panel_of(row: CostRow) -> tuple[str, str]:
    return backbone(row.cost.cost), row.cost.machine
