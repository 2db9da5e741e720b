"""The p-values that two printed columns allow at one of their cells, whatever estimators they are declared to have."""

from functools import cache

from harness.audit.estimators import batch_mean
from harness.audit.printed import either, hits
from harness.audit.published import Column
from harness.audit.pvalues import PRange, mcnemar_range, p_range
from harness.metrics import Place


def allowed(column: Column, rival: Column, place: Place) -> PRange | None:
    """The range of p for a column's cell against a rival's.

    Where a column is declared to hold batch means, a Recall's hits are those that the batches allow; MRR and NDCG have
    no bounds then.

    Returns:
        None where the two do not share a known number of users, 2 or more; where no outcomes give such cells; and where
        there are no bounds.
    """
    if not column.users or column.users < 2 or rival.users != column.users:
        return None
    if column.estimator == rival.estimator == "exact":
        return _of_exact(tuple(column.numbers.items()), tuple(rival.numbers.items()), *place, column.users)
    if place.metric != "Recall":
        return None
    return mcnemar_range(_hit(column, place, column.users), _hit(rival, place, column.users), column.users)


@cache
def _of_exact(
    own: tuple[tuple[Place, str], ...],
    rival: tuple[tuple[Place, str], ...],
    metric: str,
    k: int,
    users: int,
) -> PRange | None:
    return p_range(dict(own), dict(rival), metric, k, users)


def _hit(column: Column, place: Place, users: int) -> set[int]:
    """How many users the cell may mean."""
    cell = either(column.numbers[place])
    return batch_mean(users, column.batch).totals(cell) if column.batch else set(hits(cell, users))
