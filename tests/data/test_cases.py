import hashlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data import cases
from harness.data.cases import Sizes
from harness.data.dataset import Dataset
from harness.errors import InputError

ITEMS = pl.DataFrame(
    {"item": ["b", "a", "d", "c"], "kind": ["x", " ", "y", "x"], "title": ["Bee", "", "Dee", "Cee"]},
)
SIZES = Sizes(train=1, validation=1, test=1)


def made(**histories: str) -> Dataset:
    rows = pl.DataFrame({"user": list(histories), "items": [list(items) for items in histories.values()]})
    return cases.assemble_cases("set", rows, cases.assign("set", list(histories), SIZES), ITEMS)


def test_a_case_set_worked_by_hand() -> None:
    dataset = made(v="ba", u="cbc", t="dc", left_out="ab")
    assert dataset.raw_users == ("", "t", "u", "v")
    assert dataset.parts == ("", "test", "validation", "train")
    assert dataset.raw_items == ("", "a", "b", "c", "d")
    assert [items.tolist() for items in dataset.sequences] == [[4, 3], [3, 2, 3], [2, 1]]
    assert dataset.titles == ("", "", "Bee", "Cee", "Dee")
    assert dataset.fields == {"kind": ("", " ", "x", "x", "y")}
    assert dataset.times is None
    assert dataset.notes == (
        "histories hold 1.33 items on average",
        "1 of 3 answers stand in their own history",
        "1 of 4 items have no text but their id",
    )


def test_users_beyond_the_parts_are_left_out_and_too_few_are_refused() -> None:
    assert cases.assign("set", list("abcde"), SIZES) == {"a": "train", "b": "validation", "c": "test"}
    with pytest.raises(InputError, match="set: 2 users can be selected, its protocol takes 3"):
        cases.assign("set", list("ab"), SIZES)


@given(st.permutations(["U9", "U10", "U2", "U33", "U4"]))
def test_the_order_by_hash_is_one_whatever_order_they_come_in(users: list[str]) -> None:
    ordered = cases.by_hash(users)
    assert sorted(ordered) == sorted(users)
    digests = [hashlib.sha256(user.encode()).hexdigest() for user in ordered]
    assert digests == sorted(digests)
