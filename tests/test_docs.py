"""The page on statistics says what the code does."""

import re
from pathlib import Path
from typing import get_args

import pytest

from harness import stats
from harness.claims import Judgement
from harness.verdict import Verdict

PAGE = (Path(__file__).parents[1] / "docs" / "statistics.md").read_text(encoding="utf-8")


def test_the_widths_are_the_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \|$", PAGE, re.M)
    assert [int(seeds) for seeds, _ in rows] == [2, 3, 5, 10]
    for seeds, printed in rows:
        values = [0.5 + 0.01 * (-1) ** i for i in range(int(seeds))]
        mean = sum(values) / len(values)
        sd = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
        width = (stats.prediction_half_width(values) - stats.PRINTED_DIGIT) / sd
        assert width == pytest.approx(float(printed), abs=0.005)


def test_every_verdict_is_explained_in_the_order_in_which_it_is_tried() -> None:
    assert words("The verdict") == list(get_args(Verdict))
    assert f"{stats.RESAMPLES:,} resamples" in PAGE


def test_every_judgement_of_a_claim_is_explained() -> None:
    assert set(words("Claims")) == set(get_args(Judgement))


def words(section: str) -> list[str]:
    """The first cells of a section's table."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z ]+)` \|", text, re.M)
