"""Outcomes to numbers: per-query metrics of a single target's rank, and the estimators of their mean.

Every metric takes ranks (1-based, shape [query]) and a cut-off k, and returns one value a query.
"""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.errors import InputError
from harness.outcomes import Outcomes

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


def metric_at(label: str) -> tuple[str, int]:
    """``NDCG@10`` as a key of ``METRICS`` and a cut-off.

    Raises:
        ValueError: it is none.
    """
    metric, _, k = label.partition("@")
    if metric not in METRICS or not re.fullmatch("[1-9][0-9]{0,8}", k):
        raise ValueError(f"{label!r} is no metric at a cut-off, such as NDCG@10; known: {', '.join(METRICS)}")
    return metric, int(k)


def metrics_of(label: str) -> list[tuple[str, int]]:
    """The metrics that a sum such as ``Recall@3+Recall@5`` adds up.

    Raises:
        ValueError: one of them is none.
    """
    return [metric_at(part) for part in label.split("+")]


def per_query(outcomes: Outcomes, metric: str, k: int, *, target_first: bool = False) -> Floats:
    """One value a query, shape [query].

    Args:
        outcomes: what was answered.
        metric: a key of ``METRICS``.
        k: the cut-off.
        target_first: resolve ties in the target's favour, as some published evaluations do.
    """
    if metric not in METRICS:
        raise InputError(f"metric {metric!r} is unknown; known: {', '.join(METRICS)}")
    return METRICS[metric](outcomes.rank - outcomes.ties if target_first else outcomes.rank, k)


def check_estimator(estimator: str) -> None:
    """Refuse what is no estimator.

    Raises:
        InputError: it is none of ``exact``, ``target-first`` and ``batch-mean:N`` with N from 1.
    """
    name, _, size = estimator.partition(":")
    if estimator not in ("exact", "target-first") and not (
        name == "batch-mean" and size.isdecimal() and 0 < int(size) < 2**31
    ):
        raise InputError(f"estimator {estimator!r} is unknown; known: exact, batch-mean:N, target-first")


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
            batches of N; a short last batch weighs as much as a full one) or ``target-first``.

    Raises:
        InputError: an unknown metric or estimator, or no outcomes.
    """
    if not len(outcomes):
        raise InputError(f"{metric}@{k}: no outcomes to average")
    values = per_query(outcomes, metric, k, target_first=estimator == "target-first")
    return float((values * query_weights(len(outcomes), estimator)).mean())
