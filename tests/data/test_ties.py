import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import data
from harness.config import SameTime
from harness.data.dataset import Dataset
from harness.data.ties import order_ties, tied_ends
from harness.errors import InputError
from harness.home import Home
from tests.worlds import dataset

MIRROR = os.environ.get("LLMREC_MIRROR")


def timed(histories: list[list[tuple[int, int]]]) -> Dataset:
    """Users' (time, item) pairs, in the order that every reader gives them."""
    made = dataset([[item for _, item in sorted(history)] for history in histories], 9)
    return replace(made, times=np.array([time for history in histories for time, _ in sorted(history)]))


BY_HAND = [[(1, 5), (1, 2), (3, 9), (4, 1), (4, 7)], [(1, 3), (2, 3), (2, 1)], [(1, 1), (1, 2), (2, 3)]]


def test_item_is_what_the_reader_gave() -> None:
    made = timed(BY_HAND)
    assert order_ties(made, "item", 1) is made
    assert [list(items) for items in made.sequences] == [[2, 5, 9, 1, 7], [3, 1, 3], [1, 2, 3]]


def test_reversed_by_hand() -> None:
    found = order_ties(timed(BY_HAND), "item-reversed", 1)
    assert [list(items) for items in found.sequences] == [[5, 2, 9, 7, 1], [3, 3, 1], [2, 1, 3]]
    assert found.times.tolist() == [1, 1, 3, 4, 4, 1, 2, 2, 1, 1, 2]
    assert found.notes == ("same_time=item-reversed: the last item of 2 of 3 users depends on it",)


HISTORIES = st.lists(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=9, unique=True), min_size=1
)


@given(HISTORIES, st.sampled_from(["item-reversed", "shuffled"]), st.integers(0, 99))
def test_only_items_of_one_user_and_time_change_places(
    histories: list[list[tuple[int, int]]], same_time: SameTime, seed: int
) -> None:
    made = timed(histories)
    found = order_ties(made, same_time, seed)
    assert np.array_equal(found.times, made.times)
    assert np.array_equal(found.sequences.offsets, made.sequences.offsets)
    users = np.repeat(np.arange(len(histories)), list(map(len, histories)))
    pairs = [sorted(zip(users, each.times, each.sequences.items, strict=True)) for each in (made, found)]
    assert pairs[0] == pairs[1]


@given(HISTORIES)
def test_reversed_is_a_plain_sort_user_by_user(histories: list[list[tuple[int, int]]]) -> None:
    found = order_ties(timed(histories), "item-reversed", 1)
    expected = [[item for _, item in sorted(history, key=lambda pair: (pair[0], -pair[1]))] for history in histories]
    assert [list(items) for items in found.sequences] == expected


def test_shuffled_follows_the_seed_and_takes_every_order() -> None:
    made = timed([[(1, 1), (1, 2), (1, 3)]])
    orders = [tuple(order_ties(made, "shuffled", seed).sequences.items) for seed in range(60)]
    assert orders == [tuple(order_ties(made, "shuffled", seed).sequences.items) for seed in range(60)]
    assert len(set(orders)) == 6


def ends_on_a_tie(made: Dataset) -> int:
    assert made.times is not None
    return tied_ends(made.sequences, made.times)


def test_users_who_end_on_a_tie_are_counted() -> None:
    assert ends_on_a_tie(timed(BY_HAND)) == 2
    assert ends_on_a_tie(timed([[(1, 1)], [(1, 2)], [(1, 3), (1, 4)]])) == 1  # a neighbour's time is not one's own


def test_a_set_without_timestamps_has_no_ties_to_order() -> None:
    made = dataset([[1, 2, 3]])
    assert order_ties(made, "item", 1) is made
    with pytest.raises(
        InputError, match=r"made-up: has no timestamps, so task\.same_time=shuffled .* leave it at 'item'"
    ):
        order_ties(made, "shuffled", 1)


@pytest.mark.skipif(not MIRROR, reason="LLMREC_MIRROR names no mirror of the data")
def test_users_of_movielens_who_end_on_a_tie(tmp_path: Path) -> None:
    movies = data.load("ml-latest-small", Home(tmp_path, Path(MIRROR)), lambda line: None)
    assert ends_on_a_tie(movies) == 91
