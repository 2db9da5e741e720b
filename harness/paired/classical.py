"""Textbook tests of paired differences, beside the randomisation test; undefined ones are None, never NaN."""

import numpy as np
from scipy import stats

from harness.paired.differences import Differences


def t_test(differences: Differences) -> list[float | None]:
    """Two-sided p of Student's paired t test, one a metric.

    1 where all differences are 0; None for one query, or where all differences are the same and not 0.
    """
    found: list[float | None] = []
    queries = len(differences)
    for mean, deviation in zip(differences.mean(), differences.deviation(), strict=True):
        if mean == 0:
            found.append(1.0)
        elif queries < 2 or deviation == 0:
            found.append(None)
        else:
            found.append(float(2 * stats.t.sf(abs(mean) / deviation * np.sqrt(queries), queries - 1)))
    return found


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p that as many queries are hit by the one system alone as by the other (McNemar 1947).

    Args:
        only_a: queries that only the first system hits.
        only_b: queries that only the second hits.
    """
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
