import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.seeds import rng
from harness.tasks import negatives
from tests.worlds import dataset


def test_uniform_negatives_are_every_other_item_equally_often() -> None:
    drawn = np.concatenate([negatives.uniform(3, 6, 2, rng(1, "draw", turn)) for turn in range(5000)])
    counts = np.bincount(drawn, minlength=7)
    assert counts[[0, 3]].tolist() == [0, 0]
    assert counts[[1, 2, 4, 5, 6]] == pytest.approx(2000, abs=150)  # four deviations


@settings(max_examples=50)
@given(st.integers(2, 40), st.data())
def test_negatives_are_different_items_and_never_the_target(n_items: int, data: st.DataObject) -> None:
    target, count = data.draw(st.integers(1, n_items)), data.draw(st.integers(1, n_items - 1))
    ranked = rng(1, "ranked").permutation(n_items).astype(np.int32) + 1
    random = rng(data.draw(st.integers(0, 99)), "draw")
    for drawn in (
        negatives.uniform(target, n_items, count, random),
        negatives.matched(target, ranked, count, random),
    ):
        assert len(set(drawn.tolist())) == count
        assert set(drawn.tolist()) <= set(range(1, n_items + 1)) - {target}


def test_items_are_ranked_by_their_training_count_and_ties_by_the_seed() -> None:
    train = dataset([[4, 4, 4, 2], [2, 5]], n_items=40).sequences
    ranked = negatives.by_popularity(train, 40, seed=1)
    assert ranked[-3:].tolist() == [5, 2, 4]
    assert sorted(ranked.tolist()) == list(range(1, 41))
    assert ranked[:37].tolist() != sorted(ranked[:37].tolist())
    assert ranked.tolist() == negatives.by_popularity(train, 40, seed=1).tolist()
    assert ranked.tolist() != negatives.by_popularity(train, 40, seed=2).tolist()


def test_matched_negatives_put_the_target_at_any_place_by_popularity() -> None:
    ranked = np.arange(1, 101, dtype=np.int32)  # the higher the id, the more popular
    drawn = [negatives.matched(50, ranked, 4, rng(1, "draw", turn)) for turn in range(5000)]
    assert {tuple(others.tolist()) for others in drawn} == {
        (46, 47, 48, 49), (47, 48, 49, 51), (48, 49, 51, 52), (49, 51, 52, 53), (51, 52, 53, 54)
    }  # fmt: skip
    place = np.bincount([(others < 50).sum() for others in drawn])
    assert place == pytest.approx(1000, abs=120)
    assert np.mean(drawn) == pytest.approx(50, abs=0.15)


def test_at_the_ends_the_nearest_neighbours_are_taken() -> None:
    ranked = np.arange(1, 11, dtype=np.int32)
    for turn in range(20):
        assert negatives.matched(10, ranked, 3, rng(1, turn)).tolist() == [7, 8, 9]
        assert negatives.matched(1, ranked, 3, rng(1, turn)).tolist() == [2, 3, 4]
