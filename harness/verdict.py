"""What may be said of a cell: the first verdict of the ladder that holds."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "not run",
    "no published value",
    "other data",
    "other backbone",
    "other budget",
    "undecided",
    "reproduced",
    "differs",
]

WIDEST = 0.20

MEANING: dict[Verdict, str] = {
    "not run": "no run of this system on this data set",
    "no published value": "the paper prints no number here",
    "other data": "run on other data than the paper's",
    "other backbone": "run with another pretrained LLM than the paper's",
    "other budget": "the run's settings are not the paper's",
    "undecided": f"one seed only, or a prediction interval over {100 * WIDEST:.0f} % of the published value either way",
    "reproduced": "the published value lies in the 95 % prediction interval over seeds",
    "differs": "the published value lies outside that interval",
}


@dataclass(frozen=True)
class Likeness:
    """Which of the paper's conditions a run shares."""

    data: bool
    backbone: bool
    budget: bool


def judge(likeness: Likeness | None, published: float | None, mean: float, half_width: float | None) -> Verdict:
    """The first verdict that holds.

    Args:
        likeness: what the run shares with the paper's; None where nothing was run.
        published: the paper's number, or None where it prints none.
        mean: the reproduced number.
        half_width: half the prediction interval (``harness.stats.prediction_half_width``); None with one seed.
    """
    if likeness is None:
        return "not run"
    if published is None:
        return "no published value"
    if not likeness.data:
        return "other data"
    if not likeness.backbone:
        return "other backbone"
    if not likeness.budget:
        return "other budget"
    if half_width is None or half_width > WIDEST * published:
        return "undecided"
    return "reproduced" if abs(published - mean) <= half_width else "differs"


def judge_size(same_data: bool, published: float | None, digit: float | None, size: float) -> Verdict:
    """The first verdict that holds for a data set's size, which no seed changes.

    Args:
        same_data: whether it is the paper's data set.
        published: the paper's number, or None where it prints none.
        digit: what one unit of the last printed digit is worth: a number may be rounded or cut.
        size: the size here.
    """
    if published is None or digit is None:
        return "no published value"
    if not same_data:
        return "other data"
    return "reproduced" if abs(published - size) < digit else "differs"
