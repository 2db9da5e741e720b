"""How the cost of serving grows: latency against history, candidates, batch and model, and requests by batch."""

from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from harness.costs.kept import KeptCost
from harness.costs.plan import COMMON
from harness.costs.serving import along, grows
from harness.llm.ranking_cost import RankingCost
from reports.costs import checkpoint
from reports.style import PALETTE, plain

CAPTION = (
    "Median milliseconds to rank a batch, and requests ranked in a second, as one thing grows; dotted: the floor that "
    "arithmetic and memory traffic set; dashed: the retriever."
)
LABELS = {
    "history": "history, items",
    "candidates": "candidates",
    "batch": "batch, requests",
    "model": "model, weights of the linear maps",
    "requests": "batch, requests ranked at once",
}
GREY = "#777777"
Value = Callable[[RankingCost], float]


def draw(costs: Sequence[KeptCost]) -> Figure:
    """A panel a thing that grows, a line a model and machine, both axes logarithmic.

    Args:
        costs: of one figure of serving, those of a machine in a row.
    """
    figure = Figure(figsize=(10.5, 6.4), layout="constrained")
    panels = figure.subplot_mosaic([["history", "candidates", "batch"], ["model", "legend", "requests"]])
    colours: dict[tuple[str, str], str] = {}
    for kept in costs:
        colours.setdefault(_line_of(kept), PALETTE[len(colours) % len(PALETTE)])
    for line, colour in colours.items():
        own = [kept for kept in costs if _line_of(kept) == line]
        for what in COMMON:
            _plot(panels[what], what, along(what, own), colour, lambda cost: cost.p50_ms, lambda cost: cost.floor_ms)
        _plot(panels["requests"], "batch", along("batch", own), colour, lambda cost: cost.requests_per_s, _at_floor)
    for _, on_machine in groupby(costs, key=lambda kept: kept.machine):
        own = list(on_machine)
        for what in COMMON:
            _retriever(panels[what], what, along(what, own))
        _models(panels["model"], [kept for kept in own if grows(kept.cost) is None], colours)
    for what, label in LABELS.items():
        _finish(panels[what], label, "requests a second" if what == "requests" else "ms a batch")
        if what != "model":
            ticks = sorted({getattr(kept.cost, _named(what)) for kept in along(_named(what), costs)})
            panels[what].set_xticks(ticks, map(str, ticks))
            panels[what].xaxis.set_minor_locator(NullLocator())
    _legend(panels["legend"], colours)
    return figure


def _line_of(kept: KeptCost) -> tuple[str, str]:
    return checkpoint(kept.cost), kept.machine


def _named(panel: str) -> str:
    return "batch" if panel == "requests" else panel


def _at_floor(cost: RankingCost) -> float:
    return 1e3 * cost.batch / cost.floor_ms


def _plot(panel: Axes, what: str, line: Sequence[KeptCost], colour: str, value: Value, floor: Value) -> None:
    grown = [getattr(kept.cost, what) for kept in line]
    panel.plot(grown, [value(kept.cost) for kept in line], "o-", color=colour, markersize=4)
    panel.plot(grown, [floor(kept.cost) for kept in line], ":", color=colour, linewidth=1)


def _retriever(panel: Axes, what: str, line: Sequence[KeptCost]) -> None:
    """The retriever's time, where several models stand beside it the median of theirs."""
    beside: dict[int, list[float]] = {}
    for kept in line:
        if kept.retrieval:
            beside.setdefault(getattr(kept.cost, what), []).append(kept.retrieval.p50_ms)
    panel.plot(list(beside), list(map(median, beside.values())), "--", color=GREY, linewidth=0.8)


def _models(panel: Axes, common: Sequence[KeptCost], colours: dict[tuple[str, str], str]) -> None:
    """One machine's models at the common point."""
    sized = [(kept.cost.linear_weights, kept) for kept in common if kept.cost.linear_weights]
    sized.sort(key=lambda pair: pair[0])
    weights = [size for size, _ in sized]
    panel.plot(weights, [kept.cost.p50_ms for _, kept in sized], "-", color=GREY, linewidth=0.8)
    panel.plot(weights, [kept.cost.floor_ms for _, kept in sized], ".:", color=GREY, linewidth=1, markersize=3)
    for size, kept in sized:
        panel.plot(size, kept.cost.p50_ms, "o", color=colours[_line_of(kept)], markersize=5)
    with_retriever = [(size, kept.retrieval.p50_ms) for size, kept in sized if kept.retrieval]
    if with_retriever:
        panel.plot(*zip(*with_retriever, strict=True), ".--", color=GREY, linewidth=0.8, markersize=3)


def _finish(panel: Axes, x: str, y: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel(x)
    panel.set_ylabel(y)
    panel.yaxis.set_minor_formatter(NullFormatter())
    plain(panel)


def _legend(panel: Axes, colours: dict[tuple[str, str], str]) -> None:
    """A line for each model, under its machine, and what the strokes mean."""
    handles = []
    for machine, lines in groupby(colours, key=lambda line: line[1]):
        handles.append(Line2D([], [], linestyle="none", label=machine))
        handles += [Line2D([], [], marker="o", color=colours[line], label=line[0]) for line in lines]
    handles.append(Line2D([], [], linestyle=":", color=GREY, label="the floor"))
    handles.append(Line2D([], [], linestyle="--", color=GREY, linewidth=0.8, label="the retriever"))
    panel.axis("off")
    panel.legend(handles=handles, frameon=False, fontsize="small", loc="center")
