"""What an audit says of a published table."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

Rule = Literal["grid", "order", "joint", "arithmetic", "claims", "coverage"]
Strength = Literal["impossible", "inconsistent", "suspicious", "note"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
SHOWN = 6


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        rule: which rule found it.
        strength: *impossible*: no ranks of any number of users give it; *inconsistent*: none of the stated number of
            users under the exact estimator, rounded or cut, whatever other estimator fits; *suspicious*: possible, but
            less than 1 % of honest tables look so, or it rests on a number of users that is derived; *note*.
        paper, table, dataset, method, metric, k: the cells concerned; None means all there are.
        detail: the arithmetic.
    """

    rule: Rule
    strength: Strength
    paper: str
    table: str | None
    dataset: str | None
    method: str | None
    metric: str | None
    k: int | None
    detail: str

    @property
    def cells(self) -> str:
        """The cells concerned, in words."""
        metric = self.metric and (f"{self.metric}@{self.k}" if self.k else self.metric)
        table = f"table {self.table}" if self.table else None
        return ", ".join(part for part in (self.paper, table, self.dataset, self.method, metric) if part)


def decimal(value: Fraction, printed: str) -> str:
    """A value rounded to two digits more than a printed number has, to be held against it."""
    return f"{float(value):.{len(printed.partition('.')[2]) + 2}f}"


def spell(counts: Sequence[int]) -> str:
    """Ascending numbers that a count may be: each of a few, the ends of many."""
    if len(counts) <= SHOWN:
        return " or ".join(map(str, counts))
    return f"{counts[0]} to {counts[-1]}"
