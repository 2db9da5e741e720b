"""Outcomes to numbers: per-query metrics of a single target's rank, and the estimators of their mean.

Every metric takes ranks (1-based, shape [query]) and a cut-off k, and returns one value a query.
"""

import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from harness.errors import InputError
from harness.outcomes import Ints, Outcomes

Floats = npt.NDArray[np.float64]
Metric = Callable[[npt.NDArray[np.int64], int], Floats]


def recall(rank: npt.NDArray[np.int64], k: int) -> Floats:
    """1 where the target is among the first k."""
    return (rank <= k).astype(np.float64)


def mrr(rank: npt.NDArray[np.int64], k: int) -> Floats:
    """1 / rank where the target is among the first k."""
    return np.where(rank <= k, 1.0 / rank, 0.0)


def ndcg(rank: npt.NDArray[np.int64], k: int) -> Floats:
    """1 / log2(rank + 1) where the target is among the first k; one target, so the ideal is 1."""
    return np.where(rank <= k, 1.0 / np.log2(rank + 1.0), 0.0)


METRICS: dict[str, Metric] = {"Recall": recall, "MRR": mrr, "NDCG": ndcg}
CUTOFFS = {"next-item": (5, 10), "candidates": (3, 5, 10)}  # by task, those of its paper


class Place(NamedTuple):
    """A metric, by its name in ``METRICS``, at a cut-off."""

    metric: str
    k: int

    def __str__(self) -> str:
        return f"{self.metric}@{self.k}"


def metric_at(label: str) -> Place:
    """What ``NDCG@10`` names.

    Raises:
        ValueError: it is none.
    """
    metric, _, k = label.partition("@")
    if metric not in METRICS or not re.fullmatch("[1-9][0-9]{0,8}", k):
        raise ValueError(f"{label!r} is no metric at a cut-off, such as NDCG@10; known: {', '.join(METRICS)}")
    return Place(metric, int(k))


def metrics_of(label: str) -> list[Place]:
    """The metrics that a sum such as ``Recall@3+Recall@5`` adds up.

    Raises:
        ValueError: one of them is none.
    """
    return [metric_at(part) for part in label.split("+")]


def _is_metric(label: str) -> str:
    metric_at(label)
    return label


def _are_metrics(label: str) -> str:
    metrics_of(label)
    return label


MetricLabel = Annotated[str, AfterValidator(_is_metric)]  # e.g. NDCG@10
Monitor = Annotated[str, AfterValidator(_are_metrics)]  # the same, or a sum of some


def monitored(outcomes: Outcomes, monitor: str) -> float:
    """The value on validation that stops training and chooses the weights."""
    return sum(estimate(outcomes, metric, k) for metric, k in metrics_of(monitor))


def placed(outcomes: Outcomes, estimator: str = "exact") -> tuple[Ints, Ints]:
    """Where an estimator puts each target: the rank, and how many ranks before it are as likely, both shape [query]."""
    if estimator == "tie-mean":
        return outcomes.rank, outcomes.ties
    rank = outcomes.rank - outcomes.ties if estimator == "target-first" else outcomes.rank
    return rank, np.zeros_like(rank)


def over_ties(metric: str, rank: Ints, before: Ints, k: int) -> Floats:
    """Mean of a metric over the ranks from ``rank - before`` to ``rank``; arrays of one shape.

    Under ``tie-mean`` this is the expectation over all orders of the candidates that tie (McSherry and Najork, ECIR
    2008).
    """
    if not before.any():
        return METRICS[metric](rank, k)
    until = np.concatenate([[0.0], np.cumsum(METRICS[metric](np.arange(1, rank.max() + 1), k))])
    mean: Floats = (until[rank] - until[rank - before - 1]) / (before + 1)
    return mean


def per_query(outcomes: Outcomes, metric: str, k: int, estimator: str = "exact") -> Floats:
    """One value a query, shape [query].

    Args:
        outcomes: what was answered.
        metric: a key of ``METRICS``.
        k: the cut-off.
        estimator: says where ties put the target.

    Raises:
        InputError: an unknown metric or estimator.
    """
    if metric not in METRICS:
        raise InputError(f"metric {metric!r} is unknown; known: {', '.join(METRICS)}")
    return over_ties(metric, *placed(outcomes, estimator), k)


def check_estimator(estimator: str) -> None:
    """Refuse what is no estimator.

    Raises:
        InputError: it is none of ``exact``, ``target-first``, ``tie-mean`` and ``batch-mean:N`` with N from 1.
    """
    name, _, size = estimator.partition(":")
    if estimator not in ("exact", "target-first", "tie-mean") and not (
        name == "batch-mean" and size.isdecimal() and 0 < int(size) < 2**31
    ):
        raise InputError(f"estimator {estimator!r} is unknown; known: exact, batch-mean:N, target-first, tie-mean")


def query_weights(count: int, estimator: str) -> Floats:
    """What each query counts for in an estimator, shape [query], mean 1.

    Args:
        count: how many queries there are.
        estimator: under ``batch-mean:N`` a query of a short last batch counts for more than the others.

    Raises:
        InputError: an unknown estimator.
    """
    check_estimator(estimator)
    if not estimator.startswith("batch-mean"):
        return np.ones(count)
    batch = np.arange(count) // int(estimator.partition(":")[2])
    batch_sizes = np.bincount(batch)
    return count / (len(batch_sizes) * batch_sizes[batch])


def estimate(outcomes: Outcomes, metric: str, k: int, estimator: str = "exact") -> float:
    """Reduce outcomes to the number that a table prints.

    Args:
        outcomes: what was answered, in evaluation order.
        metric: a key of ``METRICS``.
        k: the cut-off.
        estimator: ``exact`` (mean over queries), ``batch-mean:N`` (mean of the means of consecutive
            batches of N; a short last batch weighs as much as a full one), ``target-first`` (ties in the target's
            favour, as some published evaluations have them) or ``tie-mean`` (all orders of what ties are as likely).

    Raises:
        InputError: an unknown metric or estimator, or no outcomes.
    """
    if not len(outcomes):
        raise InputError(f"{metric}@{k}: no outcomes to average")
    values = per_query(outcomes, metric, k, estimator)
    return float((values * query_weights(len(outcomes), estimator)).mean())
