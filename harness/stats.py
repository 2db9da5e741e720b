"""Intervals: over seeds, over users, and of one more run."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from harness.seeds import rng

LEVEL = 0.95
RESAMPLES = 2000
PRINTED_DIGIT = 1e-4

Floats = npt.NDArray[np.float64]


def seeds_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % Student t interval of the mean of runs that differ in their seed only.

    Args:
        values: one number a seed, two or more.
    """
    half = _t_quantile(len(values)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean - half, mean + half


def prediction_half_width(values: Sequence[float]) -> float:
    """Half the 95 % interval in which the number of one more run falls, plus one unit of the last printed digit.

    ``h = t(.975, s - 1) sd sqrt(1 + 1/s) + 1e-4`` for s seeds (Hahn and Meeker, Statistical Intervals, 1991,
    section 4.7). A published number is one more run on the same test users.

    Args:
        values: one number a seed, two or more.
    """
    spread = float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / len(values))
    return _t_quantile(len(values)) * spread + PRINTED_DIGIT


def _t_quantile(seeds: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, seeds - 1))


def users_interval(values: Floats, weights: Floats, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap of a weighted mean over users (Efron and Tibshirani 1993, section 13.3).

    Drawing users with replacement draws how often each distinct value occurs from a multinomial, so the
    cost depends on the number of distinct values (11 for a metric at 10), not on the number of users.

    Args:
        values: one number a user, shape [query].
        weights: what the query at each place counts for, mean 1, shape [query].
        seed: of the run that the values come from.
    """
    generator = rng(seed, "bootstrap")
    distinct, occurrences = np.unique(values, return_counts=True)
    means = np.zeros(RESAMPLES)
    for weight, places in zip(*np.unique(weights, return_counts=True), strict=True):
        drawn = generator.multinomial(places, occurrences / len(values), size=RESAMPLES)
        means += weight * (drawn @ distinct) / len(values)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
