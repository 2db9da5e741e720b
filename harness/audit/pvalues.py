"""The p-values that a difference of two printed cells allows, whatever the outcomes behind them were."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from scipy.optimize import linprog

from harness.audit.printed import either, hits
from harness.audit.programme import Cells, deepest, fractions, least, multipliers, rank_values
from harness.errors import InputError, WorkError
from harness.metrics import Place
from harness.paired.power import ALPHA

INFEASIBLE = 2
"""``scipy.optimize.linprog``'s status."""

Decision = Literal["significant", "not significant", "undecidable without the data"]


@dataclass(frozen=True)
class Overlap:
    """Outcomes of one Recall for two systems: the users that A hits, that B hits, and that both hit."""

    hits_a: int
    hits_b: int
    both: int


@dataclass(frozen=True)
class Spread:
    """The paired difference of a metric: the size of its mean, and its standard deviation over users."""

    difference: float
    deviation: float


@dataclass(frozen=True)
class PRange:
    """What the two-sided p-value of a difference can be.

    Attributes:
        p_low, p_high: the ends.
        decision: at 5 %; only a range wholly on one side of it decides.
        exact: the ends are attained (McNemar), or else they are proven outer bounds (paired t).
        at_low, at_high: the case behind each end.
    """

    p_low: float
    p_high: float
    decision: Decision
    exact: bool
    at_low: Overlap | Spread
    at_high: Overlap | Spread


def p_range(a: Cells, b: Cells, metric: str, k: int, users: int) -> PRange | None:
    """The range of p for A's cell of a metric against B's; None where no ranks give such cells.

    Recall: McNemar's exact test over all hits that print as the two cells, rounded or cut, and all their overlaps.

    MRR and NDCG: the paired t test with users - 1 degrees of freedom. For the mean d and the mean square e of the
    paired difference, ``t**2 = (users - 1) q / (1 - q)`` with ``q = d**2 / e``. The two cells bound d, and e is bounded
    over every joint distribution of A's and B's ranks that has all cells of both. The sign-flip test's normal limit is
    ``z**2 = users q``, a function of the same q: where users are many and q is small, the bounds are its bounds too.

    Args:
        a: one system's cells on one data set, the one in question among them.
        b: the other's, likewise.
        metric: a key of ``harness.metrics.METRICS``.
        k: the cut-off.
        users: how many both were tested on, each counting alike.

    Raises:
        InputError: a cell is no plain decimal number, or there are fewer than 2 users.
        WorkError: the solver failed.
    """
    if users < 2:
        raise InputError(f"users is {users}; a paired test needs 2 or more")
    cell_a, cell_b = either(a[Place(metric, k)]), either(b[Place(metric, k)])
    if metric == "Recall":
        return mcnemar_range(hits(cell_a, users), hits(cell_b, users), users)
    squares = _mean_squares(a, b, metric, k)
    if squares is None:
        return None
    ends = (float(cell_a.low - cell_b.high), float(cell_a.high - cell_b.low))
    smallest = 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends))
    p_low, at_low = _paired_t(max(map(abs, ends)), squares[0], users)
    p_high, at_high = _paired_t(smallest, squares[1], users)
    return PRange(p_low, p_high, decide(p_low, p_high), False, at_low, at_high)


def mcnemar_range(hits_a: Collection[int], hits_b: Collection[int], users: int) -> PRange | None:
    """The range of McNemar's exact two-sided p over numbers of hits and all overlaps; None where there is no number.

    For given hits p grows as the overlap shrinks: with two more discordant users, one each way, the symmetric walk of
    the signs gains a quarter of P(it was 2 short of the difference) and loses a quarter of P(it just reached it), which
    is no more. So the largest and the smallest overlap give the ends.
    """
    if not hits_a or not hits_b:
        return None
    a, b = (grid.ravel() for grid in np.meshgrid(list(hits_a), list(hits_b)))
    both = np.stack([np.minimum(a, b), np.maximum(0, a + b - users)])
    p = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(a, b) - both, a + b - 2 * both, 0.5))
    low, high = (np.unravel_index(place, p.shape) for place in (p.argmin(), p.argmax()))
    at_low, at_high = (Overlap(int(a[place[1]]), int(b[place[1]]), int(both[place])) for place in (low, high))
    return PRange(float(p[low]), float(p[high]), decide(float(p[low]), float(p[high])), True, at_low, at_high)


def decide(p_low: float, p_high: float) -> Decision:
    """What a range of p says at 5 %."""
    if p_high <= ALPHA:
        return "significant"
    return "not significant" if p_low > ALPHA else "undecidable without the data"


def _paired_t(difference: float, square: float, users: int) -> tuple[float, Spread]:
    """Two-sided p of a mean difference with that mean square, or of the nearest that can be."""
    variance = max(square - difference**2, 0.0) * users / (users - 1)
    spread = Spread(difference, math.sqrt(variance))
    if not difference:
        return 1.0, spread
    if not variance:
        return 0.0, spread
    return float(2 * stats.t.sf(difference / math.sqrt(variance / users), users - 1)), spread


def _mean_squares(a: Cells, b: Cells, metric: str, k: int) -> tuple[float, float] | None:
    """Proven bounds of the mean squared difference over all joint ranks with these cells; None where there are none.

    The variables are the shares of users at each pair of ranks, 1 to the deepest cut-off or a miss.
    """
    ranks = deepest(a, b) + 1
    values_a, values_b = rank_values(a, ranks), rank_values(b, ranks)
    within = [either(printed) for cells in (a, b) for printed in cells.values()]
    rows = np.vstack([np.repeat(values_a, ranks, axis=1), np.tile(values_b, ranks)])
    gain = rank_values({Place(metric, k): ""}, ranks)[0]
    squares = np.subtract.outer(gain, gain) ** 2
    ends = []
    for cost in (squares, -squares):
        result = linprog(
            cost.ravel(),
            A_ub=np.vstack([rows, -rows]),
            b_ub=[float(cell.high) for cell in within] + [-float(cell.low) for cell in within],
            A_eq=np.ones((1, ranks**2)),
            b_eq=[1.0],
        )
        if result.status == INFEASIBLE:
            return None
        if result.x is None:
            raise WorkError(f"linear programme over the ranks of {dict(a)} and {dict(b)}: {result.message}")
        weights = multipliers(result.ineqlin.marginals, len(rows))
        earned = np.add.outer(weights[: len(a)] @ fractions(values_a), weights[len(a) :] @ fractions(values_b))
        ends.append(least(weights, within) + (fractions(cost) - earned).min())
    return float(ends[0]), float(-ends[1])
