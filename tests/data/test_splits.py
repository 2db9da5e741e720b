from dataclasses import replace

import numpy as np
import pytest

from harness.data.splits import leave_one_out, split_of
from harness.errors import InputError
from tests.worlds import case_set, dataset


def test_last_is_test_and_the_one_before_validation() -> None:
    split = leave_one_out(dataset([[1, 2, 3, 4], [4, 1, 1]]))
    assert [items.tolist() for items in split.train] == [[1, 2], [4]]
    assert split.validation.tolist() == [3, 1]
    assert split.test.tolist() == [4, 1]


def test_a_user_with_too_few_items_is_named() -> None:
    with pytest.raises(InputError, match="made-up: user u2 has 2 items"):
        leave_one_out(dataset([[1, 2, 3], [4, 1]]))


def test_leaving_one_out_the_last_training_item_is_an_answer_where_something_stands_before_it() -> None:
    assert leave_one_out(dataset([[1, 2, 3, 4], [4, 1, 1], [1, 2, 3, 4]])).cases.tolist() == [1, 3]


def test_of_cases_only_those_that_train_are_learnt_whole() -> None:
    split = split_of(case_set([[1, 2, 3], [4, 5], [6, 7, 8]], ["train", "test", "validation"]))
    assert [items.tolist() for items in split.train] == [[1, 2, 3], [4], [6, 7]]
    assert split.validation.tolist() == [0, 0, 8]
    assert split.test.tolist() == [0, 5, 0]
    assert split.cases.tolist() == [1]
    assert split.train_times is None


def test_times_go_with_their_items() -> None:
    timed = replace(case_set([[1, 2], [3, 4]], ["test", "train"]), times=np.array([10, 20, 30, 40]))
    assert split_of(timed).train_times.tolist() == [10, 30, 40]
    left_out = leave_one_out(replace(dataset([[1, 2, 3], [1, 2, 3, 4]]), times=np.arange(7)))
    assert left_out.train_times.tolist() == [0, 3, 4]


def test_a_case_without_a_history_is_named() -> None:
    with pytest.raises(InputError, match="made-up: user u2 has 1 items; a case needs at least 2"):
        split_of(case_set([[1, 2], [3]], ["train", "test"]))
