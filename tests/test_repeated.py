import numpy as np
import pytest

from harness import repeated
from harness.tasks.candidates import CandidateRanking
from tests.worlds import answered, dataset

HISTORIES = [[1, 2, 1], [1, 2, 3], [3, 3, 2], [2, 1, 1]]


def task(rows: list[int]) -> CandidateRanking:
    users = np.array(rows)
    targets = np.array([HISTORIES[user - 1][-1] for user in rows], dtype=np.int32)
    return CandidateRanking(dataset(HISTORIES), users, targets, np.empty((len(rows), 0), dtype=np.int32), 1, 9)


def test_metrics_are_given_without_targets_that_the_user_had() -> None:
    said = repeated.notes(task([1, 2, 3, 4]), answered([1, 4, 2, 1], [1, 2, 3, 4]))
    of = "without_targets_in_history"  # so of users 2 and 3
    assert (said[f"Recall@3_{of}"], said[f"Recall@5_{of}"]) == (0.5, 1)
    assert said[f"MRR@10_{of}"] == pytest.approx((1 / 4 + 1 / 2) / 2)


@pytest.mark.parametrize("rows", [[2, 3], [1, 4]])
def test_nothing_is_said_where_none_or_all_are_such(rows: list[int]) -> None:
    assert repeated.notes(task(rows), answered([1, 2], rows)) == {}
