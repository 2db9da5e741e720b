"""A difference under two sources of variance: other users, and other seeds.

Runs of one system vary with their seed, answers with the user, and both were sampled. The variance of the mean
difference is held to be

    v = var_users / n + sd_a^2 / s_a + sd_b^2 / s_b

with var_users of the per-user differences between the systems' means over their seeds, and sd_a, sd_b of the runs'
means over users. The interaction of user and seed is in the first term and in the others, so that v is a little too
large rather than too small, as Owen's bootstrap of crossed factors has it (The pigeonhole bootstrap, Annals of Applied
Statistics 1(2), 2007). The degrees of freedom are Satterthwaite's (Biometrics Bulletin 2, 1946).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.stats import LEVEL


@dataclass(frozen=True)
class TwoSources:
    """Test and interval of a mean difference over other users and other seeds alike.

    Attributes:
        low, high: 95 % interval.
        p: two-sided.
        se_users: standard error that users alone give.
        se_seeds: standard error that seeds alone give.
    """

    low: float
    high: float
    p: float
    se_users: float
    se_seeds: float


def two_sources(
    difference: float, deviation: float, queries: int, a: Sequence[float], b: Sequence[float]
) -> TwoSources | None:
    """Hold a difference against both variances.

    None where a system has one seed, there is one query, or a difference other than 0 does not vary at all.

    Args:
        difference: of the means over users and seeds.
        deviation: standard deviation over users of the per-user differences of seed means.
        queries: how many users.
        a: the first system's means over users, one a seed.
        b: the second's.
    """
    if min(len(a), len(b)) < 2 or queries < 2:
        return None
    parts = [(deviation**2 / queries, queries - 1)]
    parts += [(float(np.var(runs, ddof=1)) / len(runs), len(runs) - 1) for runs in (a, b)]
    variance = sum(part for part, _ in parts)
    users, seeds = parts[0][0] ** 0.5, (parts[1][0] + parts[2][0]) ** 0.5
    if variance == 0:
        return None if difference else TwoSources(0.0, 0.0, 1.0, users, seeds)
    freedom = variance**2 / sum(part**2 / own for part, own in parts)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * variance**0.5
    p = float(2 * stats.t.sf(abs(difference) / variance**0.5, freedom))
    return TwoSources(difference - half, difference + half, p, users, seeds)
