"""Rule ``grid``: over n users with one target each, a Recall is a multiple of 1/n.

It tells which Recalls are none, rounded or cut, which other estimator gives a whole column of them, and how the others
were printed. It has power only where 1/n is above the last digit.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

from harness.audit import explain
from harness.audit.estimators import exact
from harness.audit.explain import Fit
from harness.audit.finding import Finding, Strength
from harness.audit.number import WAYS, Number, decimal
from harness.audit.published import Column, Published


def check(published: Published) -> Iterator[Finding]:
    """A finding for every Recall off the grid, what averaging explains it, and a note on each data set's others."""
    for panel in published.panels():
        columns = [column for column in panel if column.recalls()]
        known = [column for column in columns if column.users]
        if known:
            yield from _check_known(published.paper, known)
        elif columns:
            yield _note(published.paper, columns[0], "not checked: the number of users is not stated")


def _check_known(paper: str, columns: Sequence[Column]) -> Iterator[Finding]:
    """The columns of one data set in one table, over a known number of users."""
    users = columns[0].users
    assert users
    numbers = [number for column in columns for number in column.recalls().values()]
    finest = min(numbers, key=lambda number: number.unit)
    if users * finest.unit >= 1:
        step = decimal(Fraction(1, users), finest)
        yield _note(paper, columns[0], f"no power: 1/{users} = {step} is not above the last digit of {finest.text}")
        return
    off = [column for column in columns if _off_grid(column, users)]
    shared = next(iter(explain.fits(off, users)), None) if off else None
    for column in off:
        together = off if shared else [column]
        fit = shared or next(iter(explain.fits([column], users)), None)
        telling = fit if fit and explain.chance(together, users, fit) < explain.LEVEL else None
        for k in _off_grid(column, users):
            yield _finding(paper, column, k, "inconsistent", _misses(column.recalls()[k], users, telling))
        yield _finding(paper, column, None, "note", explain.explained(column, users, fit, together))
    on = [column for column in columns if column not in off]
    if on:
        yield from _on_grid(paper, on, users, shared)


def _off_grid(column: Column, users: int) -> list[int]:
    """Cut-offs whose Recall no number of hits gives, rounded or cut."""
    return [k for k, number in column.recalls().items() if not exact(users).gives(number.outer)]


def _misses(number: Number, users: int, telling: Fit | None) -> str:
    below = floor(number.value * users)
    near = ", ".join(f"{hits}/{users} = {decimal(Fraction(hits, users), number)}" for hits in (below, below + 1))
    detail = f"{number.text} is no multiple of 1/{users}, rounded or cut: {near}"
    return f"{detail}; {telling.fraction(number)} ({telling.estimator.name})" if telling else detail


def _on_grid(paper: str, columns: Sequence[Column], users: int, shared: Fit | None) -> Iterator[Finding]:
    """How the columns that exact means give were printed, and whether the neighbours' estimator gives them too."""
    grid = exact(users)
    printed: dict[str, list[str]] = {}
    for column in columns:
        recalls = column.recalls().values()
        ways = [way for way in WAYS if Fit(grid, way).gives(column)]
        hits = "; ".join(" or ".join(map(str, grid.numerators(number.outer))) for number in recalls)
        said = f"{column.method} ({hits} hits)"
        if shared and shared.gives(column):
            said += f", as good as {', '.join(map(shared.fraction, recalls))} ({shared.estimator.name})"
        printed.setdefault(" or ".join(ways) or "only some rounded and some cut", []).append(said)
    mixed = len(printed.keys() - {"rounded or cut"}) > 1 or "only some rounded and some cut" in printed
    detail = ". ".join(f"{way}: {', '.join(said)}" for way, said in printed.items())
    strength: Strength = "suspicious" if mixed else "note"
    yield Finding(
        "grid",
        strength,
        paper,
        columns[0].table,
        columns[0].dataset,
        None,
        "Recall",
        None,
        f"exact means of {users} users. {detail}" + (". One table is printed one way" if mixed else ""),
    )


def _finding(paper: str, column: Column, k: int | None, strength: Strength, detail: str) -> Finding:
    return Finding("grid", strength, paper, column.table, column.dataset, column.method, "Recall", k, detail)


def _note(paper: str, column: Column, detail: str) -> Finding:
    return Finding("grid", "note", paper, column.table, column.dataset, None, "Recall", None, detail)
