"""A printed number: its digits, and the values that may stand behind them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, NamedTuple

Way = Literal["rounded", "cut"]
WAYS: tuple[Way, ...] = ("rounded", "cut")


class Interval(NamedTuple):
    """All values from ``low`` to ``high``, both included: what lies on an end may be printed either way."""

    low: Fraction
    high: Fraction

    def meet(self, other: "Interval") -> "Interval":
        """What both hold; empty where its low is above its high."""
        return Interval(max(self.low, other.low), min(self.high, other.high))

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return self.low > self.high


@dataclass(frozen=True)
class Number:
    """A decimal number as printed; ``unit`` is the worth of one in its last digit."""

    text: str

    @cached_property
    def value(self) -> Fraction:
        """What the digits say."""
        return Fraction(self.text)

    @cached_property
    def unit(self) -> Fraction:
        """E.g. 1/10000 for 0.0390."""
        return Fraction(1, 10 ** len(self.text.partition(".")[2]))

    def interval(self, way: Way) -> Interval:
        """The values that print so: half a unit about a rounded number, up to one unit above a cut one."""
        if way == "rounded":
            return Interval(self.value - self.unit / 2, self.value + self.unit / 2)
        return Interval(self.value, self.value + self.unit)

    @cached_property
    def outer(self) -> Interval:
        """The values that print so, rounded or cut."""
        return Interval(self.value - self.unit / 2, self.value + self.unit)


def decimal(value: Fraction, printed: Number) -> str:
    """A value rounded to two digits more than a printed number has, to be held against it."""
    return f"{float(value):.{len(printed.text.partition('.')[2]) + 2}f}"
