"""What a printed number stands for: an interval of exact values, and the hits that lie in it."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

from harness.errors import InputError

Convention = Literal["rounded", "cut"]
CONVENTIONS: tuple[Convention, ...] = ("rounded", "cut")

FLOAT_ERROR = Fraction(1, 10**5)
"""Relative error that an honest mean may carry: a single-precision sum over tens of thousands of users, and far more
than the 1e-15 of a metric's own values."""
MOST_DIGITS = 7
"""Digits after the point beyond which nothing is told apart, for the same reason."""


class Interval(NamedTuple):
    """A closed interval of exact values."""

    low: Fraction
    high: Fraction


@cache
def unit(printed: str) -> Fraction:
    """One unit of the last printed digit, of the ``MOST_DIGITS``-th at the finest: 1/10000 for ``0.0852``.

    Raises:
        InputError: no plain decimal number.
    """
    if not re.fullmatch(r"\d*\.\d+|\d+", printed, flags=re.ASCII):
        raise InputError(f"printed value {printed!r} is no plain decimal number; write it like 0.0852")
    return Fraction(1, 10 ** min(MOST_DIGITS, len(printed.partition(".")[2])))


@cache
def interval(printed: str, convention: Convention) -> Interval:
    """Every mean that prints as these digits, widened by ``FLOAT_ERROR``.

    Both ends belong: a half is rounded either way, and a mean held as a float may fall short of what it stands for.

    Args:
        printed: the digits as printed.
        convention: ``rounded`` to the nearest, or ``cut`` after the last digit.

    Raises:
        InputError: no plain decimal number.
    """
    digit = unit(printed)
    value = Fraction(Decimal(printed))
    low, high = (value - digit / 2, value + digit / 2) if convention == "rounded" else (value, value + digit)
    return Interval(low - FLOAT_ERROR * high, high + FLOAT_ERROR * high)


@cache
def either(printed: str) -> Interval:
    """Every mean that prints as these digits rounded or cut; the two intervals overlap."""
    return Interval(interval(printed, "rounded").low, interval(printed, "cut").high)


def hits(within: Interval, users: int) -> range:
    """The numbers of hits among so many users whose share lies in an interval; empty where none does."""
    return range(max(0, math.ceil(within.low * users)), min(users, math.floor(within.high * users)) + 1)
