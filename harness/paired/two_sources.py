"""A difference under two sources of variance: other users, and other seeds.

Runs of one system vary with their seed, answers with the user, and both were sampled. The variance of the mean
difference is held to be

    v = var_users / n + sd_a^2 / s_a + sd_b^2 / s_b

with var_users of the per-user differences between the systems' means over their seeds, and sd_a, sd_b of the runs'
means over users. Where the runs of both systems come in pairs that share what was drawn (a re-ranker's and its
retriever's, those of two re-rankers, or those that were offered the same candidates), the last two terms are
sd_d^2 / s instead, of the s differences between the runs of a pair. The interaction of user and seed is in the first
term and in the others, so that v is a little too large rather than too small, as Owen's bootstrap of crossed factors
has it (The pigeonhole bootstrap, Annals of Applied Statistics 1(2), 2007). The degrees of freedom are Satterthwaite's
(Biometrics Bulletin 2, 1946).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from harness.paired.differences import DIGITS
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
    difference: float, deviation: float, queries: int, a: Sequence[float], b: Sequence[float], *, in_pairs: bool = False
) -> TwoSources | None:
    """Hold a difference against both variances.

    None where a system has one seed, there is one query, or a difference other than 0 does not vary at all.

    Args:
        difference: of the means over users and seeds.
        deviation: standard deviation over users of the per-user differences of seed means.
        queries: how many users.
        a: the first system's means over users, one a seed.
        b: the second's.
        in_pairs: whether the first of ``a`` shares its draw with the first of ``b``, and so on.
    """
    if min(len(a), len(b)) < 2 or queries < 2:
        return None
    parts = [(deviation**2 / queries, queries - 1)]
    varying = [np.subtract(a, b)] if in_pairs else [np.asarray(a), np.asarray(b)]
    parts += [(_variance(means) / len(means), len(means) - 1) for means in varying]
    variance = sum(part for part, _ in parts)
    users, seeds = parts[0][0] ** 0.5, sum(part for part, _ in parts[1:]) ** 0.5
    if variance == 0:
        return None if difference else TwoSources(0.0, 0.0, 1.0, users, seeds)
    freedom = variance**2 / sum(part**2 / own for part, own in parts)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * variance**0.5
    p = float(2 * stats.t.sf(abs(difference) / variance**0.5, freedom))
    return TwoSources(difference - half, difference + half, p, users, seeds)


def _variance(means: npt.NDArray[np.float64]) -> float:
    """With n - 1 in the denominator; exactly 0 where all are the same, whatever their mean was rounded to."""
    return float(np.var(means, ddof=1)) if np.ptp(means.round(DIGITS)) else 0.0
