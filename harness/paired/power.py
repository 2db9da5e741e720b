"""What a paired test could have seen (Cohen 1988, section 2.3; normal approximation).

Nothing can be said from differences that do not vary: one query, or the same difference on all.
"""

import math

from scipy import stats

ALPHA = 0.05
POWER = 0.80


def smallest_difference(deviation: float, queries: float) -> float | None:
    """The mean difference that a two-sided test at 5 % finds with 80 % power.

    Args:
        deviation: standard deviation of the paired differences; None is returned where it is 0.
        queries: how many there are.
    """
    return _quantiles(POWER) * deviation / math.sqrt(queries) if deviation else None


def queries_needed(difference: float, deviation: float) -> int | None:
    """The queries that a true mean difference needs to be found with 80 % power; None where either is 0."""
    if difference == 0 or deviation == 0:
        return None
    return max(2, math.ceil((_quantiles(POWER) * deviation / difference) ** 2))


def power(difference: float, deviation: float, queries: int) -> float | None:
    """The chance that a two-sided test at 5 % finds a true mean difference, on its side of 0; None without variance."""
    if deviation == 0:
        return None
    return float(stats.norm.cdf(abs(difference) * math.sqrt(queries) / deviation - stats.norm.ppf(1 - ALPHA / 2)))


def _quantiles(power: float) -> float:
    return float(stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(power))
