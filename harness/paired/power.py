"""What a paired test could have seen (Cohen 1988, section 2.3; normal approximation)."""

import math

from scipy import stats

ALPHA = 0.05
POWER = 0.80


def smallest_difference(deviation: float, queries: int) -> float:
    """The mean difference that a two-sided test at 5 % finds with 80 % power.

    Args:
        deviation: standard deviation of the paired differences.
        queries: how many there are.
    """
    return _quantiles(POWER) * deviation / math.sqrt(queries)


def queries_needed(difference: float, deviation: float) -> int | None:
    """The queries that a true mean difference needs to be found with 80 % power; None for a difference of 0."""
    if difference == 0:
        return None
    return max(2, math.ceil((_quantiles(POWER) * deviation / difference) ** 2))


def power(difference: float, deviation: float, queries: int) -> float:
    """The chance that a two-sided test at 5 % finds a true mean difference, on its side of 0."""
    if deviation == 0:
        return 1.0 if difference else ALPHA / 2
    return float(stats.norm.cdf(abs(difference) * math.sqrt(queries) / deviation - stats.norm.ppf(1 - ALPHA / 2)))


def _quantiles(power: float) -> float:
    return float(stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(power))
