import pytest

from harness.verdict import MEANING, Likeness, Verdict, judge, judge_size

SAME = Likeness(data=True, backbone=True, budget=True)


@pytest.mark.parametrize(
    ("likeness", "published", "half_width", "verdict"),
    [
        (None, None, None, "not run"),
        (Likeness(False, False, False), None, None, "no published value"),
        (Likeness(False, False, False), 0.05, 0.001, "other data"),
        (Likeness(True, False, False), 0.05, 0.001, "other backbone"),
        (Likeness(True, True, False), 0.05, 0.001, "other budget"),
        (SAME, 0.05, None, "undecided"),
        (SAME, 0.05, 0.0101, "undecided"),
        (SAME, 0.05, 0.0099, "reproduced"),
        (SAME, 0.05, 0.0021, "reproduced"),
        (SAME, 0.05, 0.0019, "differs"),
    ],
)
def test_the_first_that_holds(
    likeness: Likeness | None, published: float | None, half_width: float | None, verdict: Verdict
) -> None:
    assert judge(likeness, published, 0.048, half_width) == verdict


def test_every_verdict_has_a_meaning_in_the_ladders_order() -> None:
    assert list(MEANING) == list(Verdict.__args__)


@pytest.mark.parametrize(
    ("same_data", "published", "digit", "verdict"),
    [
        (True, None, None, "no published value"),
        (False, 610.0, 1.0, "other data"),
        (True, 610.0, 1.0, "reproduced"),
        (True, 611.0, 1.0, "differs"),
        (True, 1000.0, 1000.0, "reproduced"),
        (True, 2000.0, 1000.0, "differs"),
    ],
)
def test_a_size_is_held_against_its_printed_digits(
    same_data: bool, published: float | None, digit: float | None, verdict: Verdict
) -> None:
    assert judge_size(same_data, published, digit, 610.0) == verdict
