"""What a table would print by other rules: for ties, and without targets that stand in their own history."""

from collections.abc import Sequence

import numpy as np

from harness import metrics, repeated
from harness.columns import Column, columns
from harness.config import Strict
from harness.outcomes import Outcomes
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable
from harness.selection import Selection
from harness.store import Run

WITHOUT_REPEATED = "exact, without targets in history"


class OtherRule(Strict):
    """A column by another rule.

    Attributes:
        table: its table's number.
        dataset, system: the column, as printed.
        estimator: the rule, or ``WITHOUT_REPEATED``: which cases are left out.
        queries: that were answered, over all seeds.
        tied: of these, those whose target has the score of another candidate; None where some are left out.
        values: metric -> (the table's exact mean, the mean by the other rule), each over seeds.
    """

    table: str
    dataset: str
    system: str
    estimator: str
    queries: int
    tied: int | None
    values: dict[str, tuple[float, float]]


def other_rule(paper: Paper, table: str, runs: Sequence[Run], selections: Sequence[Selection]) -> list[OtherRule]:
    """A row for each rule and column that was run; one where nothing ties, none without a rule of the authors'.

    Args:
        paper: the paper.
        table: its table's number.
        runs: all runs there are.
        selections: all searches there are.
    """
    spec = paper.table(table)
    if not isinstance(spec, AccuracyTable) or not spec.authors_rule:
        return []
    rows = []
    for column in columns(paper, spec, runs, selections):
        answered = column.evidence.outcomes
        if not answered:
            continue
        wanted = {label: metrics.metric_at(label) for label in spec.printed(column.dataset, column.system)}
        tied = sum(int((one.ties > 0).sum()) for one in answered)
        for rule in (spec.authors_rule, "tie-mean") if tied else (spec.authors_rule,):
            row = OtherRule(
                table=table,
                dataset=column.dataset,
                system=column.system,
                estimator=rule,
                queries=sum(map(len, answered)),
                tied=tied,
                values={
                    label: (_mean(answered, at, "exact"), _mean(answered, at, rule)) for label, at in wanted.items()
                },
            )
            rows.append(row)
        rows += _without_repeated(table, column, list(wanted))
    return rows


def _without_repeated(table: str, column: Column, wanted: Sequence[str]) -> list[OtherRule]:
    """The column over the cases whose target is new to their user, where its runs noted that."""
    runs, answered = column.evidence.runs, column.evidence.outcomes
    noted = {label: [run.record.fit.notes.get(f"{label}_{repeated.WITHOUT}") for run in runs] for label in wanted}
    if any(value is None for values in noted.values() for value in values):
        return []
    values = {
        label: (_mean(answered, metrics.metric_at(label), "exact"), float(np.mean(np.array(found, dtype=float))))
        for label, found in noted.items()
    }
    row = OtherRule(
        table=table,
        dataset=column.dataset,
        system=column.system,
        estimator=WITHOUT_REPEATED,
        queries=sum(len(one) - run.record.queries.target_seen for one, run in zip(answered, runs, strict=True)),
        tied=None,
        values=values,
    )
    return [row]


def _mean(answered: Sequence[Outcomes], at: metrics.Place, rule: str) -> float:
    return float(np.mean([metrics.estimate(one, *at, rule) for one in answered]))
