"""Systems with a language model against simpler ones, or a figure's values against one of them, with what each took."""

from collections.abc import Sequence

from harness import metrics
from harness.columns import Column, columns
from harness.config import Strict
from harness.paired.comparison import Comparison, compare
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable, Sweep
from harness.selection import Selection
from harness.significance import pair
from harness.store import Run

ESTIMATOR = "tie-mean"  # what ties against its target must not make a floor of chance lower than chance
PER_USER = ("_per_history", "_per_case")


class Gain(Strict):
    """One metric of a column against another one that answered the same queries.

    Attributes:
        table: its table's number.
        dataset, system, x: the column, as printed.
        over: the other system, or the other value of the figure's setting.
        metric: e.g. ``MRR@10``.
        ran: whether the other was run.
        comparison: the column (``a``) less the other (``b``); None where they did not answer the same queries.
        costs: tokens, seconds and joules by name, per summarised history or per case asked about; means over seeds.
    """

    table: str
    dataset: str
    system: str
    x: str | int | None
    over: str | int
    metric: str
    ran: bool
    comparison: Comparison | None
    costs: dict[str, float]


def gains(paper: Paper, table: str, runs: Sequence[Run], selections: Sequence[Selection]) -> list[Gain]:
    """The gains that a table asks for, of columns with a language model; all their tests are one family.

    Args:
        paper: the paper.
        table: its table's number.
        runs: all runs there are.
        selections: all searches there are.
    """
    spec = paper.table(table)
    if not isinstance(spec, AccuracyTable | Sweep) or not spec.gains:
        return []
    found = list(columns(paper, spec, runs, selections))
    asked = [
        (own, other)
        for own in found
        if any(run.record.model for run in own.evidence.runs)
        for other in found
        if other.dataset == own.dataset and (own.x is None or other.system == own.system)
        if _label(other) in _before(_label(own), spec.gains.over)
    ]
    pairs = [pair(str(_label(own)), own.evidence, str(_label(other)), other.evidence) for own, other in asked]
    there = [both for both in pairs if both]
    wanted = [metrics.metric_at(label) for label in spec.gains.metrics]
    seed = asked[0][0].evidence.runs[0].config.seed if asked else 0
    tests = iter(compare(there, wanted, seed, estimator=ESTIMATOR) if there else [])
    return [
        Gain(
            table=table,
            dataset=own.dataset,
            system=own.system,
            x=own.x,
            over=_label(other),
            metric=metric,
            ran=bool(other.evidence.runs),
            comparison=next(tests) if both else None,
            costs=_costs(own.evidence.runs),
        )
        for (own, other), both in zip(asked, pairs, strict=True)
        for metric in spec.gains.metrics
    ]


def _label(column: Column) -> str | int:
    return column.system if column.x is None else column.x


def _before(label: str | int, over: Sequence[str | int]) -> Sequence[str | int]:
    """What a column is held against: all of ``over``, or those before it where it is one of them."""
    return over[: over.index(label)] if label in over else over


def _costs(runs: Sequence[Run]) -> dict[str, float]:
    notes = [run.record.fit.notes for run in runs]
    shared = [name for name in notes[0] if name.endswith(PER_USER) and all(name in each for each in notes)]
    return {name: sum(float(each[name]) for each in notes) / len(notes) for name in shared}
