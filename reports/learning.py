"""The learning curves of re-rankers: validation metric and loss against prompts seen, and the retriever's own order."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.cell import Cell
from harness.llm.tuning import prompts_seen
from harness.store import Run
from reports.style import PALETTE, plain

TITLE = "Learning curves"
CAPTION = (
    "Above: the validation metric that chose the weights (a ring: those kept), before the first prompt and at every "
    "validation; dashed: the retriever's own order of the same users. Below: mean training loss of a token since the "
    "validation before, the answer's letter and its end alike."
)
KEPT: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none"}
GIVEN: dict[str, Any] = {"linestyle": "--", "linewidth": 1}


def choose(cells: Sequence[Cell], runs: Sequence[Run]) -> list[Run]:
    """The re-rankers' runs behind the cells that were validated while they were tuned."""
    shown = {run for cell in cells for run in cell.runs}
    return [run for run in runs if run.record.run in shown and run.config.retriever and run.record.fit.curve]


def draw(runs: Sequence[Run]) -> Figure:
    """A column a system and data set, a colour a seed.

    Args:
        runs: of :func:`choose`, at least one.
    """
    columns: dict[str, list[Run]] = {}
    for run in runs:
        columns.setdefault(f"{run.config.system} on {run.config.dataset}", []).append(run)
    figure = Figure(figsize=(1.2 + 4.4 * len(columns), 5.2), layout="constrained")
    panels = figure.subplots(2, len(columns), sharex="col", squeeze=False)
    for (title, own), above, below in zip(columns.items(), *panels, strict=True):
        for run, colour in zip(own, PALETTE * len(own), strict=False):
            _lines(run, colour, above, below)
        above.set_title(title)
        above.set_ylabel(f"validation {own[0].record.fit.monitor}")
        below.set_ylabel("training loss")
        below.set_xlabel("prompts seen")
        above.legend(loc="lower right", frameon=False, fontsize="small")
        for panel in (above, below):
            panel.margins(x=0.06, y=0.12)
            panel.set_xlim(left=0)
            panel.set_ylim(bottom=0)
            plain(panel)
    signs = [Line2D([], [], **KEPT, color="grey", label="weights kept")]
    if any(_noted(run, "of_the_retriever") is not None for run in runs):
        signs.append(Line2D([], [], **GIVEN, color="grey", label="retriever's own order"))
    figure.legend(handles=signs, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _lines(run: Run, colour: str, above: Axes, below: Axes) -> None:
    fit = run.record.fit
    total, size = int(fit.notes["prompts_seen"]), int(run.config.settings["batch_size"])
    epoch = int(fit.notes.get("prompts_an_epoch", total))  # not noted by kept runs of earlier versions: one epoch each
    seen = [min(total, prompts_seen(step, epoch, size)) for step, _, _ in fit.curve]
    metric, loss = ([row[column] for row in fit.curve] for column in (1, 2))
    untuned, retriever = _noted(run, "untuned"), _noted(run, "of_the_retriever")
    start = [] if untuned is None else [untuned]
    above.plot([0] * len(start) + seen, start + metric, ".-", color=colour, label=f"seed {run.config.seed}")
    best = [step for step, _, _ in fit.curve].index(fit.best_step)
    above.plot(seen[best], metric[best], **KEPT, color=colour)
    if retriever is not None:
        above.axhline(retriever, **GIVEN, color=colour)
    below.plot(seen, loss, ".-", color=colour)


def _noted(run: Run, when: str) -> float | None:
    """The validation metric that a run's notes hold; None where they do not, as in runs of earlier versions."""
    value = run.record.fit.notes.get(f"validation_{run.record.fit.monitor}_{when}")
    return None if value is None else float(value)
