"""Rule ``joint``: whether any ranks give all numbers of a column at once, and the nearest that some give."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from harness.audit.feasibility import NODES, Feasibility, fit_counts, fit_shares
from harness.audit.finding import Finding, Strength
from harness.audit.printed import Interval, either, hits
from harness.audit.published import Column, Published, misfit
from harness.metrics import METRICS, Place


def check(published: Published) -> Iterator[Finding]:
    """A finding for every column that no ranks give: of any users, or of those that there are as it is averaged.

    Columns of exact means with a Recall off the grid are left to the rule ``grid``: no ranks of those users give them.
    """
    for column in published.columns:
        anyone = fit_shares(column.numbers)
        if anyone.feasible is False:
            yield _finding(published.paper, column, "impossible", "of any number of users", anyone)
        elif column.users and (column.batch or all(hits(either(r), column.users) for r in column.recalls().values())):
            stated = fit_counts(column.numbers, column.users, column.batch)
            users = f"{column.users} users" + (f" ({column.derived})" if column.derived else "")
            averaged = "exactly" if column.batch is None else f"by {column.estimator}"
            if stated.feasible is False:
                yield _finding(published.paper, column, misfit(column), f"of {users}, {averaged},", stated)
            elif stated.feasible is None:
                undecided = f"whether any ranks of {users}, {averaged}, give it was not decided in {NODES} steps"
                yield Finding("joint", "note", published.paper, *column.where, None, None, undecided)


def _finding(paper: str, column: Column, strength: Strength, whose: str, fit: Feasibility) -> Finding:
    printed = ", ".join(f"{place} {number}" for place, number in column.numbers.items())
    nearest = ", ".join(f"{Place(*place)} {value:.6f}" for place, value in fit.nearest.items())
    detail = (
        f"no ranks {whose} print {printed}{_reason(column)}. The nearest that some give, with no cell more than "
        f"{fit.deviation:.3g} units of its last digit outside what it stands for: {nearest}"
    )
    if not fit.proven:
        detail += " (by an integer solver, asked twice)"
    return Finding("joint", strength, paper, *column.where, None, None, detail)


def _reason(column: Column) -> str:
    """Two cut-offs between which a metric rises by more or less than the new hits add, if there are such."""
    for metric, low, high in product(METRICS, (0, *column.recalls()), column.recalls()):
        if metric == "Recall" or low >= high or Place(metric, high) not in column.numbers:
            continue
        hits_added, rise = _rise(column, "Recall", low, high), _rise(column, metric, low, high)
        if hits_added and rise and hits_added.high >= 0:
            most, least = (float(METRICS[metric](np.array([rank]), rank)[0]) for rank in (low + 1, high))
            limits = least * float(hits_added.low), most * float(hits_added.high)
            if rise.low > limits[1]:
                said = f"at most {float(hits_added.high):.6f} * {most:.6f} = {limits[1]:.6f}, not {float(rise.low):.6f}"
                return f": hits at ranks {low + 1} to {high} add {said} or more to {metric}"
            if rise.high < limits[0]:
                said = (
                    f"at least {float(hits_added.low):.6f} * {least:.6f} = {limits[0]:.6f}, not {float(rise.high):.6f}"
                )
                return f": hits at ranks {low + 1} to {high} add {said} or less to {metric}"
    return ""


def _rise(column: Column, metric: str, low: int, high: int) -> Interval | None:
    """By how much a metric rises from one cut-off to another, 0 being none at all."""
    ends = either(column.numbers[Place(metric, high)])
    if not low:
        return ends
    if Place(metric, low) not in column.numbers:
        return None
    start = either(column.numbers[Place(metric, low)])
    return Interval(ends.low - start.high, ends.high - start.low)
