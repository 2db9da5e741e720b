"""Figure 3 of LlamaRec in the paper's arrangement: seconds by length of titles, published points told from ours."""

from collections.abc import Sequence
from itertools import groupby

from matplotlib.figure import Figure

from harness.cell import Cell
from harness.cost_rows import CostRow
from harness.llm.ranking_cost import VERBALIZER
from reports.costs import checkpoint
from reports.figure import PUBLISHED

CAPTION = (
    "Median seconds of one request, by the average number of tokens of a title; dotted: the floor that arithmetic and "
    "memory traffic set; diamonds: published, on a machine that the paper does not name."
)
COLOURS = {VERBALIZER: "#1f5fa8", "titles": "#c2410c"}
OTHER = ("#2e7d32", "#6a1b9a", "#8a6d00", "#00838f", "#ad1457", "#555555", "#3f51b5", "#795548", "#9e9d24")


def draw(rows: Sequence[CostRow], cells: Sequence[Cell]) -> Figure:
    """A panel a checkpoint and machine, a line a method; batch 1, the time logarithmic.

    Args:
        rows: the figure's costs.
        cells: its cells, for the published points.
    """
    single = [row for row in rows if row.cost.cost.batch == 1]
    panels = [(key, list(own)) for key, own in groupby(single, key=_panel_of)]
    figure = Figure(figsize=(1.5 + 4.2 * len(panels), 4.0), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for panel, ((model, machine), own) in zip(axes, panels, strict=True):
        others = iter(OTHER)
        for method in dict.fromkeys(row.cost.cost.method for row in own):
            colour = COLOURS.get(method) or next(others)
            line = [row.cost.cost for row in own if row.cost.cost.method == method]
            tokens = [cost.title_tokens for cost in line]
            panel.plot(tokens, [cost.p50_ms / 1e3 for cost in line], "o-", color=colour, label=method, markersize=4)
            panel.plot(tokens, [cost.floor_ms / 1e3 for cost in line], ":", color=colour, linewidth=0.9)
        points = [(int(cell.x or 0), cell.published) for cell in cells if cell.published is not None]
        panel.plot(*zip(*points, strict=True), **PUBLISHED, linestyle="none", label="published")
        panel.set_title(f"{model}\n{machine}", fontsize="small")
        panel.set_yscale("log")
        panel.set_xlabel("tokens a title")
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds a request")
    axes[-1].legend(frameon=False, fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _panel_of(row: CostRow) -> tuple[str, str]:
    return checkpoint(row.cost.cost), row.cost.machine
