"""Whether any ranks at all give the numbers that a table prints together for one system on one data set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from harness.audit.constraints import Constraints, Group, batched, constraints
from harness.audit.printed import CONVENTIONS, Convention, Interval
from harness.audit.programme import Cells, Floats, Fractions, fractions, least, multipliers
from harness.audit.silence import library_output_on_stderr
from harness.errors import WorkError
from harness.metrics import Place

NODES = 3000
NODES_NEAREST = 300
"""Where the integer solver gives up; counts, so that the answer does not depend on the machine."""
STEP = 0.01
"""Units of the last digit in which the integer solver moves the intervals' ends: before its word that no ranks fit is
taken, it is asked again, differently, about intervals one step wider."""
NARROWEST = 1e-3
INFEASIBLE = 2
"""``scipy.optimize.milp``'s status."""


@dataclass(frozen=True)
class Feasibility:
    """How near ranks come to the printed cells, under the convention that suits the cells better.

    Attributes:
        feasible: whether some ranks print exactly these cells; None where the search was given up undecided.
        proven: the answer was checked in exact arithmetic: by such ranks, or by multipliers that exclude them. An
            unproven ``feasible = False`` is the word of the integer solver, given for two formulations.
        convention: under which the rest holds.
        deviation: how far the worst of the nearest cells lies outside its interval, in units of its last digit.
        nearest: the nearest means found, by cell.
    """

    feasible: bool | None
    proven: bool
    convention: Convention
    deviation: float
    nearest: dict[Place, float]


def fit_shares(cells: Cells) -> Feasibility:
    """Whether the ranks of any number of users, weighted in any way, print as these cells.

    The shares of users at each rank are any point of a simplex, so this is a linear programme. ``feasible`` is False
    only with a proof (Farkas' lemma), which then holds for every estimator that averages users; else it is True.

    Args:
        cells: one system's cells on one data set, one target a user; at least one.

    Raises:
        InputError: a cell is no plain decimal number.
        WorkError: the solver failed.
    """

    def fit(convention: Convention) -> Feasibility:
        shares = constraints(cells, convention, (Group(1, Fraction(1)),))
        excess, nearest = _relaxed(shares, shares.within)
        return Feasibility(excess <= 0, excess > 0, convention, float(max(excess, Fraction())), shares.means(nearest))

    return _better(fit)


def fit_counts(cells: Cells, users: int, batch: int | None = None) -> Feasibility:
    """Whether the ranks of so many users print as these cells.

    The numbers of users at each rank are integers. First their linear relaxation is tried, with Recall held to whole
    hits: its infeasibility is proven. Then an integer solver (HiGHS) searches at most ``NODES`` nodes.

    Args:
        cells: one system's cells on one data set, one target a user; at least one.
        users: how many there are.
        batch: where the mean is one of batch means, users a batch; those of a short last batch count for more.

    Raises:
        InputError: a cell is no plain decimal number.
        WorkError: the solver failed.
    """

    def fit(convention: Convention) -> Feasibility:
        counts = constraints(cells, convention, batched(users, batch))
        excess, start = _relaxed(counts, counts.whole_hits())
        if excess <= 0:
            found = _search(counts, leeway=0)
            if found.x is not None and not counts.deviation(whole := _whole(found.x)):
                return Feasibility(True, True, convention, 0.0, counts.means(whole))
            refused = found.status == INFEASIBLE and _search(counts, leeway=1).status == INFEASIBLE
        nearest = _search(counts, leeway=np.inf)
        whole = _whole(nearest.x) if nearest.x is not None else start // 1
        return Feasibility(
            False if excess > 0 or refused else None,
            excess > 0,
            convention,
            float(counts.deviation(whole)),
            counts.means(whole),
        )

    return _better(fit)


def _better(fit: Callable[[Convention], Feasibility]) -> Feasibility:
    """The first convention that fits; else one that is undecided; else the nearer, proven only if both are."""
    fits = []
    for convention in CONVENTIONS:
        fits.append(fit(convention))
        if fits[-1].feasible:
            return fits[-1]
    undecided = [one for one in fits if one.feasible is None]
    nearer = min(undecided or fits, key=lambda one: one.deviation)
    return replace(nearer, proven=all(one.proven for one in fits))


def _relaxed(counts: Constraints, within: tuple[Interval, ...]) -> tuple[Fraction, Fractions]:
    """A proven lower bound of the largest deviation from ``within``, in units, and the nearest real counts.

    For multipliers y with sum |y| = 1, some cell deviates by at least
    ``min {y m: m within} - max {y m: m of any counts}``; the linear programme finds the best y.
    """
    rows = counts.rows.astype(np.float64)
    slack = -np.ones((len(rows), 1))
    result = linprog(
        np.append(np.zeros(rows.shape[1]), 1.0),
        A_ub=np.block([[rows, slack], [-rows, slack], [counts.sums, np.zeros((len(counts.sums), 1))]]),
        b_ub=np.concatenate([[float(c.high) for c in within], [-float(c.low) for c in within], counts.users]),
    )
    if result.x is None:
        raise WorkError(f"linear programme over the ranks of {dict(counts.cells)}: {result.message}")
    weights = multipliers(result.ineqlin.marginals, len(rows))
    gains = (weights @ counts.rows).reshape(len(counts.groups), -1)
    most = sum(group.users * max(gain.max(), 0) for group, gain in zip(counts.groups, gains, strict=True))
    gap = least(weights, within) - most
    total = sum(abs(weights))
    empty = max(cell.low - cell.high for cell in within) / 2
    return max(gap / total, empty) if total else empty, fractions(result.x[:-1])


def _search(counts: Constraints, leeway: float) -> OptimizeResult:
    """The integer counts that deviate least, and by at most ``leeway`` steps, from the cells' intervals.

    The deviation is whole steps too: with none but integers HiGHS seldom repairs a solution. A row is scaled to users,
    its unit to ``NARROWEST`` at least: far above the solver's tolerance of 1e-6.
    """
    scale = np.maximum(float(sum(counts.users)) * counts.units.astype(np.float64), NARROWEST)
    rows = counts.rows.astype(np.float64) * scale[:, None]
    low, high = (np.array([float(end) for end in ends]) * scale for ends in zip(*counts.within, strict=True))
    step = scale[:, None] * STEP
    variables = rows.shape[1]
    with library_output_on_stderr():
        return milp(
            np.append(np.zeros(variables), 1.0),
            integrality=np.ones(variables + 1),
            bounds=Bounds(0, np.append(counts.sums.T @ counts.users, leeway)),
            constraints=[
                LinearConstraint(np.hstack([rows, step]), low, np.inf),
                LinearConstraint(np.hstack([rows, -step]), -np.inf, high),
                LinearConstraint(np.pad(counts.sums, [(0, 0), (0, 1)]), -np.inf, counts.users),
            ],
            options={"node_limit": NODES if leeway < np.inf else NODES_NEAREST, "presolve": not leeway},
        )


def _whole(counts: Floats) -> Fractions:
    """A solver's integers, without its tolerance and without the deviation."""
    return fractions(np.round(counts[:-1]))
