"""Interval of a mean paired difference over users."""

import numpy as np

from harness.paired.differences import Differences, Floats
from harness.seeds import rng
from harness.stats import LEVEL, RESAMPLES


def bootstrap(differences: Differences, seed: int, name: str) -> tuple[Floats, Floats]:
    """95 % percentile bootstrap of the mean difference over queries (Efron and Tibshirani 1993, section 13.3).

    Queries are drawn in pairs of answers; how often each group is drawn is multinomial.

    Returns:
        Lower and upper ends, each of shape [M].
    """
    share = differences.count / len(differences)
    drawn = rng(seed, "paired bootstrap", name).multinomial(len(differences), share, size=RESAMPLES)  # [R, G]
    means = drawn @ differences.value / len(differences)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
