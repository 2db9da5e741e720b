"""One printed column as constraints on how many users have their target at each rank."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from harness.audit.printed import Convention, Interval, interval, unit
from harness.audit.programme import Cells, Floats, Fractions, deepest, fractions, rank_values
from harness.metrics import Place


@dataclass(frozen=True)
class Group:
    """Users who count alike: how many there are, and the weight of each in the mean."""

    users: int
    weight: Fraction


@dataclass(frozen=True)
class Constraints:
    """Constraints on variables [group, rank], flattened: how many users of a group have that rank; the others miss.

    Attributes:
        cells: what is printed.
        groups: whose means they are.
        rows: what each variable adds to each cell, in units of the cell's last digit, shape [cell, variable].
        within: where each cell lies, in the same units.
        units: one unit of each cell's last digit, shape [cell].
    """

    cells: Cells
    groups: tuple[Group, ...]
    rows: Fractions
    within: tuple[Interval, ...]
    units: Fractions

    @property
    def sums(self) -> Floats:
        """Rows that count the users of each group, shape [group, variable]."""
        return np.repeat(np.eye(len(self.groups)), self.rows.shape[1] // len(self.groups), axis=1)

    @property
    def users(self) -> Floats:
        """How many users each group has, shape [group]."""
        return np.array([group.users for group in self.groups], dtype=np.float64)

    def means(self, counts: Fractions) -> dict[Place, float]:
        """The cells that so many users at each rank give."""
        return dict(zip(self.cells, map(float, self.rows @ counts * self.units), strict=True))

    def deviation(self, counts: Fractions) -> Fraction:
        """How far the worst of those cells lies outside its interval, in units of its last digit."""
        means: list[Fraction] = list(self.rows @ counts)
        outside = (max(cell.low - mean, mean - cell.high) for mean, cell in zip(means, self.within, strict=True))
        return max(Fraction(), *outside)

    def whole_hits(self) -> tuple[Interval, ...]:
        """``within``, with every Recall held to what whole numbers of hits can give; low above high where none can."""
        step = _common_step(self.groups)
        return tuple(
            Interval(*(whole(end * digit / step) * step / digit for whole, end in zip(_INWARDS, cell, strict=True)))
            if metric == "Recall"
            else cell
            for (metric, _), cell, digit in zip(self.cells, self.within, self.units, strict=True)
        )


_INWARDS = (math.ceil, math.floor)


def constraints(cells: Cells, convention: Convention, groups: tuple[Group, ...]) -> Constraints:
    """The constraints of one system's cells on one data set.

    Raises:
        InputError: a cell is no plain decimal number.
    """
    units = np.array([unit(printed) for printed in cells.values()], dtype=object)
    values = fractions(rank_values(cells, deepest(cells))) / units[:, None]
    intervals = (interval(printed, convention) for printed in cells.values())
    return Constraints(
        cells=cells,
        groups=groups,
        rows=np.hstack([values * group.weight for group in groups]),
        within=tuple(Interval(low / digit, high / digit) for (low, high), digit in zip(intervals, units, strict=True)),
        units=units,
    )


def batched(users: int, batch: int | None = None) -> tuple[Group, ...]:
    """All users alike; or, for a mean of batch means, those of the full batches and those of a short last one."""
    batches = math.ceil(users / batch) if batch else 1
    size = batch or users
    last = users - (batches - 1) * size
    sizes = [(users, size)] if last == size else [(users - last, size), (last, last)]
    return tuple(Group(count, Fraction(1, batches * of)) for count, of in sizes if count)


def _common_step(groups: tuple[Group, ...]) -> Fraction:
    """The largest number of which every user's weight is a whole multiple."""
    denominator = math.lcm(*(group.weight.denominator for group in groups))
    return Fraction(math.gcd(*(int(group.weight * denominator) for group in groups)), denominator)
