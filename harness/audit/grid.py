"""Rule ``grid``: over n users with one target each, a Recall is a multiple of 1/n.

It tells which Recalls are none, rounded or cut, which other estimator gives a whole column of them, and how the others
were printed. It has power only where 1/n is above the last digit.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

from harness.audit import explain
from harness.audit.estimators import exact
from harness.audit.explain import Explanation
from harness.audit.finding import Finding, Strength, decimal, spell
from harness.audit.printed import CONVENTIONS, either, hits, unit
from harness.audit.published import Column, Published, misfit


def check(published: Published) -> Iterator[Finding]:
    """A finding for every Recall off the grid, what averaging explains it, and a note on each data set's others."""
    for panel in published.panels():
        columns = [column for column in panel if column.recalls()]
        known = [column for column in columns if column.users]
        if known:
            yield from _check_known(published.paper, known)
        elif columns:
            detail = "not checked: the number of users is not stated"
            yield _finding(published.paper, columns[0], None, "note", detail, alone=False)


def _check_known(paper: str, columns: Sequence[Column]) -> Iterator[Finding]:
    """The columns of one data set in one table, over a known number of users."""
    users = columns[0].users
    assert users
    numbers = [number for column in columns for number in column.recalls().values()]
    finest = min(numbers, key=unit)
    if users * unit(finest) >= 1:
        step = decimal(Fraction(1, users), finest)
        detail = f"no power: 1/{users} = {step} is not above the last digit of {finest}"
        yield _finding(paper, columns[0], None, "note", detail, alone=False)
        return
    off = [column for column in columns if _off_grid(column, users)]
    shared = None
    for group in _alike(off, users):
        fitting = explain.fits(group, users)
        telling = fitting[0] if fitting and explain.chance(group, users, fitting[0]) < explain.ACCIDENT else None
        shared = shared or telling
        for column in group:
            for k in _off_grid(column, users):
                yield _finding(paper, column, k, misfit(column), _misses(column, k, users, telling))
        yield _finding(paper, group[0], None, "note", explain.explained(group, users, fitting), alone=len(group) == 1)
    on = [column for column in columns if column not in off]
    if on:
        yield _on_grid(paper, on, users, shared)


def _alike(columns: Sequence[Column], users: int) -> list[Sequence[Column]]:
    """All columns together where one estimator gives them all, else one by one."""
    return [columns] if columns and explain.fits(columns, users) else [[column] for column in columns]


def _off_grid(column: Column, users: int) -> list[int]:
    """Cut-offs whose Recall no number of hits gives, rounded or cut."""
    return [k for k, printed in column.recalls().items() if not hits(either(printed), users)]


def _misses(column: Column, k: int, users: int, telling: Explanation | None) -> str:
    printed, source = column.recalls()[k], f" ({users} users {column.derived})" if column.derived else ""
    below = floor(Fraction(printed) * users)
    near = ", ".join(f"{count}/{users} = {decimal(Fraction(count, users), printed)}" for count in (below, below + 1))
    detail = f"{printed} is no multiple of 1/{users}{source}, rounded or cut: {near}"
    return f"{detail}; {telling.fraction(printed)} ({telling.estimator.name})" if telling else detail


def _on_grid(paper: str, columns: Sequence[Column], users: int, shared: Explanation | None) -> Finding:
    """How the columns that exact means give were printed, and whether the neighbours' estimator gives them too."""
    shown: dict[str, list[str]] = {}
    for column in columns:
        recalls = column.recalls().values()
        ways = [way for way in CONVENTIONS if Explanation(exact(users), way).gives(column)]
        counts = "; ".join(spell(hits(either(printed), users)) for printed in recalls)
        said = f"{column.method} ({counts} hits)"
        if shared and shared.gives(column):
            said += f", or {', '.join(map(shared.fraction, recalls))} ({shared.estimator.name})"
        shown.setdefault(" or ".join(ways) or "only some rounded and some cut", []).append(said)
    mixed = len(shown.keys() - {"rounded or cut"}) > 1 or "only some rounded and some cut" in shown
    detail = ". ".join(f"{way}: {', '.join(said)}" for way, said in shown.items())
    strength: Strength = "suspicious" if mixed else "note"
    detail = f"exact means of {users} users. {detail}" + (". One table is printed one way" if mixed else "")
    return _finding(paper, columns[0], None, strength, detail, alone=False)


def _finding(
    paper: str, column: Column, k: int | None, strength: Strength, detail: str, *, alone: bool = True
) -> Finding:
    """A finding on a column, or on all of its table and data set where it does not stand alone."""
    method = column.method if alone else None
    return Finding("grid", strength, paper, column.table, column.dataset, method, "Recall", k, detail)
