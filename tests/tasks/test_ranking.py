import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.errors import WorkError
from harness.tasks.ranking import check_shape, exclude, rank_of, top_items

#                     pad  1    2    3    4
SCORES = torch.tensor([[9.0, 0.1, 0.5, 0.5, 0.9]])


def test_a_tie_counts_against_the_target() -> None:
    rank, ties = rank_of(SCORES[:, 1:], torch.tensor([1]))
    assert (rank.item(), ties.item()) == (3, 1)


def test_a_constant_scorer_comes_last() -> None:
    rank, ties = rank_of(torch.zeros(2, 7), torch.tensor([0, 6]))
    assert rank.tolist() == [7, 7]
    assert ties.tolist() == [6, 6]


def test_padding_and_excluded_items_leave_the_ranking() -> None:
    allowed = exclude(SCORES.clone(), torch.tensor([[0, 4, 2]]), torch.tensor([1]))
    assert allowed.tolist() == [[-np.inf, pytest.approx(0.1), -np.inf, 0.5, -np.inf]]
    rank, ties = rank_of(allowed, torch.tensor([1]))
    assert (rank.item(), ties.item()) == (2, 0)


def test_the_target_is_never_masked() -> None:
    allowed = exclude(SCORES.clone(), torch.tensor([[4, 2]]), torch.tensor([4]))
    assert rank_of(allowed, torch.tensor([4]))[0].item() == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error(value: float) -> None:
    scores = SCORES.clone()
    scores[0, 3] = value
    with pytest.raises(WorkError, match="finite"):
        exclude(scores, torch.tensor([[0]]), torch.tensor([1]))


def test_lists_put_equal_scores_in_order_of_id_also_at_the_end() -> None:
    allowed = exclude(torch.tensor([[0.0, 1.0, 2.0, 2.0, 1.0, 1.0]]), torch.tensor([[0]]), torch.tensor([1]))
    assert top_items(allowed, 3).tolist() == [[2, 3, 1]]
    assert top_items(allowed, 9).tolist() == [[2, 3, 1, 4, 5]]


@given(arrays(np.float32, (3, 9), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])), st.integers(1, 8))
def test_lists_agree_with_a_full_sort_and_with_ranks(scores: np.ndarray, k: int) -> None:
    allowed = exclude(torch.from_numpy(scores.copy()), torch.tensor([[0]] * 3), torch.tensor([1, 2, 3]))
    lists = top_items(allowed, k).numpy()
    for row, items in zip(scores, lists, strict=True):
        assert items.tolist() == sorted(range(1, 9), key=lambda item: (-row[item], item))[:k]
    rank, _ = rank_of(allowed, torch.tensor([1, 2, 3]))
    for target, place, items in zip((1, 2, 3), rank.tolist(), lists, strict=True):
        assert place > k or target in items


@pytest.mark.parametrize(
    "scores", [torch.zeros(2, 4), torch.zeros(3, 5), torch.zeros(2), torch.zeros(2, 5).bool(), np.zeros((2, 5)), None]
)
def test_scores_of_another_shape_or_type_are_an_error(scores: object) -> None:
    with pytest.raises(WorkError, match=r"expected a floating-point tensor \[2, 5\]"):
        check_shape(scores, (2, 5))  # type: ignore[arg-type]
