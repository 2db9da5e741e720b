"""What a table would print by other rules for ties, the authors' own among them, and how many cases hang on that."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness import metrics
from harness.columns import columns
from harness.outcomes import Outcomes
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable
from harness.selection import Selection
from harness.store import Run


class OtherRule(BaseModel):
    """A column by the other rule.

    Attributes:
        table: its table's number.
        dataset, system: the column, as printed.
        estimator: the rule.
        queries: that were answered, over all seeds.
        tied: of these, those whose target has the score of another candidate.
        values: metric -> (the table's exact mean, the mean by the other rule), each over seeds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    dataset: str
    system: str
    estimator: str
    queries: int
    tied: int
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
    return rows


def _mean(answered: Sequence[Outcomes], at: tuple[str, int], rule: str) -> float:
    return float(np.mean([metrics.estimate(one, *at, rule) for one in answered]))
