import numpy as np
import pytest

from harness.data.dataset import Dataset, Sequences
from harness.data.splits import leave_one_out
from harness.errors import InputError


def dataset(*users: list[int]) -> Dataset:
    offsets = np.cumsum([0, *(len(items) for items in users)])
    sequences = Sequences(np.concatenate([np.array(items, np.int32) for items in users]), offsets)
    raw = ("", *(f"user{number}" for number in range(1, len(users) + 1)))
    return Dataset("set", sequences, None, ("", "a", "b", "c", "d"), ("", *"abcd"), raw, ())


def test_last_is_test_and_the_one_before_validation() -> None:
    split = leave_one_out(dataset([1, 2, 3, 4], [4, 1, 1]))
    assert [items.tolist() for items in split.train] == [[1, 2], [4]]
    assert split.validation.tolist() == [3, 1]
    assert split.test.tolist() == [4, 1]


def test_a_user_with_too_few_items_is_named() -> None:
    with pytest.raises(InputError, match="set: user user2 has 2 items"):
        leave_one_out(dataset([1, 2, 3], [4, 1]))
