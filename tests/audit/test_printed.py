"""What printed digits stand for."""

from fractions import Fraction

import pytest

from harness.audit.printed import FLOAT_ERROR, either, hits, interval, unit


def test_the_interval_by_hand() -> None:
    low, high = interval("0.0852", "rounded")
    assert (float(low), float(high)) == pytest.approx((0.08515, 0.08525), abs=2e-6)
    assert low < Fraction("0.08515") < Fraction("0.08525") < high
    low, high = interval("0.0852", "cut")
    assert (float(low), float(high)) == pytest.approx((0.0852, 0.0853), abs=2e-6)
    assert high == Fraction("0.0853") * (1 + FLOAT_ERROR)
    assert either("0.0852") == (interval("0.0852", "rounded").low, high)


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("0.5", 10), (".50", 100), ("0.1524590163934426", 10**7)])
def test_a_unit_is_no_finer_than_single_precision(text: str, expected: int) -> None:
    assert unit(text) == Fraction(1, expected)


def test_hits_of_llamarecs_recall() -> None:
    """52 and 93 of 610 users, cut; 34 of 610 is neither NARM's 0.0544 rounded nor cut."""
    assert list(hits(interval("0.0852", "cut"), 610)) == [52]
    assert list(hits(interval("0.1524", "cut"), 610)) == [93]
    assert list(hits(interval("0.1524", "rounded"), 610)) == []
    assert list(hits(either("0.0544"), 610)) == []
    assert list(hits(either("0.0544"), 624)) == [34]
    assert list(hits(either("0.0"), 10)) == [0, 1]
    assert list(hits(either("1.0"), 10)) == [10]
