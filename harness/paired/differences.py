"""Paired differences of two systems, query by query; equal ones are kept together.

A ranking metric at k takes k + 1 values, so that two systems differ on a query in one of few ways. Everything in this
package is computed from how often each way occurs.

Notation: n queries, G groups of queries with the same differences, M metrics, S runs (seeds) of a system.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness import metrics
from harness.errors import InputError
from harness.outcomes import Outcomes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DIGITS = 12  # of a difference; equal means, over seeds or over queries, must differ by 0


@dataclass(frozen=True)
class Differences:
    """What the first system's metric is above the second's.

    Attributes:
        count: how many queries each group has, shape [G].
        value: the difference on a query of the group, shape [G, M].
    """

    count: Ints
    value: Floats

    def __len__(self) -> int:
        return int(self.count.sum())

    def mean(self) -> Floats:
        """Mean over queries, shape [M]; what rounding leaves of 0 is 0."""
        found = self.count @ self.value / len(self)
        return np.where(np.abs(found) < 10.0**-DIGITS, 0, found)

    def deviation(self) -> Floats:
        """Standard deviation over queries, n - 1 in the denominator, shape [M]; exactly 0 where all are the same."""
        squares = self.count @ (self.value - self.mean()) ** 2
        return np.where(np.ptp(self.value, axis=0) == 0, 0.0, np.sqrt(squares / max(1, len(self) - 1)))


def same_queries(runs: Sequence[Outcomes], names: Sequence[str]) -> list[Outcomes]:
    """The outcomes in the order of their queries' ids.

    Args:
        runs: of the systems to be compared.
        names: what the runs are called in an error.

    Raises:
        InputError: they answered different queries, or one twice; says how many differ.
    """
    ordered = [one.take(np.argsort(one.query, kind="stable")) for one in runs]
    first = ordered[0].query
    for name, one in zip(names, ordered, strict=True):
        if not len(one):
            raise InputError(f"{name}: no queries; there is nothing to compare")
        if repeated := int((np.diff(one.query) == 0).sum()):
            raise InputError(f"{name}: {repeated} queries are answered twice")
        if not np.array_equal(one.query, first):
            ours, theirs = len(np.setdiff1d(first, one.query)), len(np.setdiff1d(one.query, first))
            both = len(np.intersect1d(first, one.query))
            raise InputError(
                f"{names[0]} and {name} answered different queries: {ours} only the first, {theirs} only the other, "
                f"{both} both; compare runs of one data set and task"
            )
    return ordered


def differences(
    a: Sequence[Outcomes], b: Sequence[Outcomes], wanted: Sequence[metrics.Place], estimator: str = "exact"
) -> Differences:
    """Differences of two systems, each the mean over its runs.

    Args:
        a: the first system's runs, one a seed.
        b: the second's.
        wanted: metrics and cut-offs.
        estimator: under ``batch-mean:N`` a query counts as much as it does in that mean.

    Raises:
        InputError: the runs answered different queries.
    """
    names = [
        f"run {place} of system {system}" for system, runs in enumerate((a, b), 1) for place in range(1, len(runs) + 1)
    ]
    ordered = same_queries([*a, *b], names)
    beyond = max(k for _, k in wanted) + 1
    weights = metrics.query_weights(len(a[0]), estimator)[np.argsort(a[0].query, kind="stable")]
    places = [_within(*metrics.placed(one, estimator), beyond) for one in ordered]
    ranks, ties = (np.stack(columns, 1) for columns in zip(*places, strict=True))
    patterns, where, count = np.unique(
        np.column_stack([ranks, ties, np.unique(weights, return_inverse=True)[1]]),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    weight = np.zeros(len(patterns))
    weight[where.ravel()] = weights
    sign = np.repeat([1 / len(a), -1 / len(b)], [len(a), len(b)])
    ranks, ties = patterns[:, : len(ordered)], patterns[:, len(ordered) : -1]
    value = [metrics.over_ties(name, ranks, ties, k) @ sign * weight for name, k in wanted]
    return Differences(count, np.stack(value, 1).round(DIGITS))


def _within(rank: Ints, before: Ints, beyond: int) -> tuple[Ints, Ints]:
    """The same places to every metric, but one for all that are beyond every cut-off."""
    reached = rank - before < beyond
    return np.where(reached & (before > 0), rank, np.minimum(rank, beyond)), np.where(reached, before, 0)
