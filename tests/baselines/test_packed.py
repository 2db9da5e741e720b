from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.encoder import windows
from baselines.packed import pack
from harness.data.dataset import Sequences
from harness.system import as_padded
from tests.support import CPU
from tests.worlds import dataset

SEQUENCES = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=7), min_size=1, max_size=9)


def sequences(histories: list[list[int]]) -> Sequences:
    return dataset(histories, 99).sequences


def test_by_hand() -> None:
    packed = pack(torch.tensor([[0, 0, 5], [1, 2, 3], [0, 6, 7]]), CPU)
    assert packed.items.tolist() == [1, 6, 5, 2, 7, 3]
    assert packed.sizes == [3, 2, 1]
    assert packed.row.tolist() == [1, 2, 0, 1, 2, 1]
    assert packed.from_end.tolist() == [2, 1, 0, 1, 0, 0]
    assert packed.last.tolist() == [2, 5, 4]
    assert packed.time.tolist() == [0, 0, 0, 1, 1, 2]
    assert packed.groups == [(1, 3), (1, 2), (1, 1)]
    assert [group.flatten().tolist() for group in packed.unpack(packed.items[:, None])] == [[1, 2, 3], [6, 7], [5]]


def test_groups_are_four_of_neighbours_in_length_by_hand() -> None:
    lengths = [1, 3, 2, 2, 6, 5, 1]
    packed = pack(as_padded([np.full(length, length) for length in lengths], 6), CPU)
    assert packed.groups == [(2, 6), (2, 3), (2, 2), (1, 1)]
    longest, third = packed.unpack(packed.items[:, None])[::2]
    assert longest.squeeze(2).tolist() == [[6] * 6, [5] * 5 + [0]]
    assert third.squeeze(2).tolist() == [[2, 2], [1, 0]]


@given(SEQUENCES, st.integers(0, 4))
def test_what_is_packed_comes_back_whatever_the_padding(histories: list[list[int]], extra: int) -> None:
    padded = torch.nn.functional.pad(as_padded([*sequences(histories)], 7), (extra, 0))
    packed = pack(padded, CPU)
    assert packed.items[packed.last].tolist() == [history[-1] for history in histories]
    assert sum(packed.sizes) == len(packed.items) == sum(map(len, histories))
    assert packed.sizes == sorted(packed.sizes, reverse=True)
    assert torch.equal(packed.pack(padded), packed.items)
    groups = packed.unpack(packed.items[:, None])
    assert [group.shape[:2] for group in groups] == packed.groups
    assert torch.equal(packed.repack(group.float() for group in groups).squeeze(1).long(), packed.items)
    longest_first = sorted(histories, key=len, reverse=True)
    by_sequence = [row for group in groups for row in group.squeeze(2).tolist()]
    assert [[item for item in row if item] for row in by_sequence] == longest_first
    for row, history in enumerate(histories):
        assert packed.items[packed.row == row].tolist() == history
        assert packed.from_end[packed.row == row].tolist() == list(range(len(history)))[::-1]
        assert packed.time[packed.row == row].tolist() == list(range(len(history)))


def test_windows_by_hand() -> None:
    given_items = sequences([[1, 2, 3, 4, 5, 6], [7], [8, 9], [1, 2, 3]])
    assert [window.tolist() for window in windows(given_items, 2)] == [[4, 5, 6], [2, 3, 4], [1, 2], [8, 9], [1, 2, 3]]


@given(SEQUENCES, st.integers(1, 5))
def test_every_item_but_the_first_is_a_target_once(histories: list[list[int]], length: int) -> None:
    cut = [window.tolist() for window in windows(sequences(histories), length)]
    assert all(2 <= len(window) <= length + 1 for window in cut)
    targets = sorted(pair for window in cut for pair in pairwise(window))
    assert targets == sorted(pair for history in histories for pair in pairwise(history))
