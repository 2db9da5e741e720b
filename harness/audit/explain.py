"""Which other estimator than the exact one gives whole columns of Recalls, and how easily a random column fits it.

The chance is a bound. A column of random digits fits an estimator of denominator D, printed one way, in a share of at
most D times what the last digit leaves open for each cell; and every estimator as coarse as the named one, rounded
or cut, was a way to fit.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import NamedTuple

from harness.audit.estimators import LARGEST_BATCH, MOST_RUNS, Estimator, alternatives
from harness.audit.finding import decimal
from harness.audit.printed import CONVENTIONS, Convention, interval
from harness.audit.published import Column

ACCIDENT = 0.05  # an estimator that random digits would fit as often as this is not named
NAMED = 3


class Explanation(NamedTuple):
    """An estimator and how its values were printed."""

    estimator: Estimator
    convention: Convention

    def gives(self, column: Column) -> bool:
        """Whether all Recalls of the column can be had so."""
        return all(self.estimator.gives(interval(printed, self.convention)) for printed in column.recalls().values())

    def fraction(self, printed: str) -> str:
        """One way to get the number, e.g. ``34/624 = 0.054487 cut``."""
        numerator = self.estimator.numerators(interval(printed, self.convention))[0]
        denominator = self.estimator.denominator
        return f"{numerator}/{denominator} = {decimal(Fraction(numerator, denominator), printed)} {self.convention}"


def fits(columns: Sequence[Column], users: int) -> list[Explanation]:
    """Estimators and conventions that give all Recalls of all columns, the coarsest first."""
    tried = (Explanation(*each) for each in product(alternatives(users, _widths(columns)[0]), CONVENTIONS))
    return [fit for fit in tried if all(map(fit.gives, columns))]


def chance(columns: Sequence[Column], users: int, fit: Explanation) -> float:
    """At most this share of columns of random digits fits an estimator as coarse as that one."""
    widths = _widths(columns)
    tried = [each for each in alternatives(users, widths[0]) if each.denominator <= fit.estimator.denominator]
    return min(1.0, sum(len(CONVENTIONS) * prod(map(each.share, widths)) for each in tried))


def explained(columns: Sequence[Column], users: int, fitting: Sequence[Explanation]) -> str:
    """A sentence on what gives columns that the exact mean does not.

    Args:
        columns: columns over the same users.
        users: how many.
        fitting: what gives all of them, the coarsest first.
    """
    names = ", ".join(column.method for column in columns)
    printed = ", ".join(number for column in columns for number in column.recalls().values())
    if not fitting:
        return f"{names}: no batch size up to {LARGEST_BATCH} and no mean of up to {MOST_RUNS} runs gives {printed}"
    fit, together = fitting[0], chance(columns, users, fitting[0])
    if together >= ACCIDENT:
        others = dict.fromkeys(each.estimator.name for each in fitting)
        more = f" and {len(others) - NAMED} others" if len(others) > NAMED else ""
        return (
            f"{names}: {', '.join(list(others)[:NAMED])}{more} would give {printed}, but the digits do not show it: "
            f"random ones fit an estimator as coarse as the first with a chance of up to {together:.2g}"
        )
    sentence = (
        f"{names}: {printed} are multiples of 1/{fit.estimator.denominator}, {fit.convention}: "
        f"{_described(fit, users)}. Random digits fit an estimator as coarse with a chance of at most {together:.2g}"
    )
    one = chance(columns[:1], users, fit)
    return sentence + (f", those of one column with at most {one:.2g}" if len(columns) > 1 else "")


def _widths(columns: Sequence[Column]) -> list[Fraction]:
    """How much the last digit of each Recall leaves open, the least first."""
    stood_for = [interval(printed, "rounded") for column in columns for printed in column.recalls().values()]
    return sorted(each.high - each.low for each in stood_for)


def _described(fit: Explanation, users: int) -> str:
    estimator = fit.estimator
    if not estimator.short:
        return f"a {estimator.name}"
    size = int(estimator.name.partition(":")[2])
    return f"{estimator.name} ({estimator.full // size + 1} batches for {users} users, the last of {estimator.short})"
