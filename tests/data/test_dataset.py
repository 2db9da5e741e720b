import numpy as np
import pytest

from harness.data.dataset import Dataset, Sequences

SEQUENCES = Sequences(np.array([3, 1, 2], np.int32), np.array([0, 1, 1, 3]))


def test_users_count_from_1() -> None:
    assert [items.tolist() for items in SEQUENCES] == [[3], [], [1, 2]]
    assert SEQUENCES[3].tolist() == [1, 2]
    for user in (0, 4, -1):
        with pytest.raises(IndexError):
            SEQUENCES[user]


def test_counts_leave_out_the_padding() -> None:
    made = Dataset("s", SEQUENCES, None, ("", "a", "b", "c"), ("", *"abc"), ("", *"xyz"), ())
    assert (made.n_users, made.n_items, made.n_interactions) == (3, 3, 3)
