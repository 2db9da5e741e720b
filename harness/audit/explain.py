"""Which other estimator than the exact one gives whole columns of Recalls, and how easily a random column fits it.

The chance is a bound. A column of random digits fits an estimator of denominator D, printed one way, in a share of at
most D times the worth of the last digit for each cell; and every estimator as coarse as the one that is named, rounded
or cut, was a way to fit.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from harness.audit.estimators import Estimator, alternatives
from harness.audit.number import WAYS, Number, Way, decimal
from harness.audit.published import Column

LEVEL = 0.05
NAMED = 3


class Fit(NamedTuple):
    """An estimator and how its values were printed."""

    estimator: Estimator
    way: Way

    def gives(self, column: Column) -> bool:
        """Whether all Recalls of the column can be had so."""
        return all(self.estimator.gives(number.interval(self.way)) for number in column.recalls().values())

    def fraction(self, number: Number) -> str:
        """One way to get the number, e.g. ``34/624 = 0.054487 cut``."""
        numerator, denominator = self.estimator.numerators(number.interval(self.way))[0], self.estimator.denominator
        return f"{numerator}/{denominator} = {decimal(Fraction(numerator, denominator), number)} {self.way}"


def fits(columns: Sequence[Column], users: int) -> list[Fit]:
    """Estimators and ways that give all Recalls of all columns, the coarsest first."""
    tried = [Fit(estimator, way) for estimator in alternatives(users, _units(columns)[0]) for way in WAYS]
    return [fit for fit in tried if all(map(fit.gives, columns))]


def chance(columns: Sequence[Column], users: int, fit: Fit) -> float:
    """At most this share of columns of random digits fits an estimator as coarse as that one."""
    units = _units(columns)
    tried = [e for e in alternatives(users, units[0]) if e.denominator <= fit.estimator.denominator]
    return float(min(Fraction(1), sum(len(WAYS) * prod(map(e.share, units)) for e in tried)))


def explained(column: Column, users: int, fit: Fit | None, together: Sequence[Column]) -> str:
    """A sentence on what gives a column that the exact mean does not.

    Args:
        column: the column.
        users: over how many users.
        fit: what gives it, or None.
        together: all columns that the same gives.
    """
    recalls = ", ".join(f"{number.text}" for number in column.recalls().values())
    if not fit:
        return f"no batch size up to 1,024 and no mean of up to 10 runs gives Recalls of {recalls}, printed one way"
    sentence = (
        f"Recalls of {recalls} are multiples of 1/{fit.estimator.denominator}, {fit.way}, as {_described(fit, users)} "
        f"gives them; a random column fits some estimator as coarse with a chance of at most "
        f"{chance([column], users, fit):.2g}"
    )
    if len(together) > 1:
        names = ", ".join(each.method for each in together)
        sentence += f", {len(together)} columns ({names}) the same one with at most {chance(together, users, fit):.2g}"
    others = dict.fromkeys(f.estimator.name for f in fits([column], users) if f.estimator != fit.estimator)
    more = f" and {len(others) - NAMED} others" if len(others) > NAMED else ""
    return sentence + (f"; it also fits, less coarse: {', '.join(list(others)[:NAMED])}{more}" if others else "")


def _units(columns: Sequence[Column]) -> list[Fraction]:
    """The worth of each Recall's last digit, the smallest first."""
    return sorted(number.unit for column in columns for number in column.recalls().values())


def _described(fit: Fit, users: int) -> str:
    estimator = fit.estimator
    if not estimator.short:
        return f"a {estimator.name}"
    size = int(estimator.name.partition(":")[2])
    return f"{estimator.name} ({estimator.full // size + 1} batches for {users} users, the last of {estimator.short})"
