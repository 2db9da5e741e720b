import numpy as np
import pytest

from harness import metrics
from harness.errors import InputError
from harness.outcomes import Outcomes
from harness.paired.differences import differences
from harness.seeds import rng
from tests.paired.answers import WANTED, drawn
from tests.worlds import answered


def test_differences_by_hand() -> None:
    found = differences([answered([1, 2, 11, 1])], [answered([2, 2, 1, 2])], [("Recall", 1), ("MRR", 10)])
    assert len(found) == 4
    assert found.mean() == pytest.approx([(1 + 0 - 1 + 1) / 4, (0.5 + 0 - 1 + 0.5) / 4])
    assert sorted(found.count) == [1, 1, 2]


def test_queries_are_paired_by_id_whatever_their_order() -> None:
    a, b = answered([1, 5, 9], [1, 2, 3]), answered([9, 1, 5], [3, 1, 2])
    assert differences([a], [b], WANTED).mean() == pytest.approx(np.zeros(6))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (answered([1, 1, 1, 1], [2, 3, 4, 5]), "1 only the first, 2 only the other, 2 both"),
        (answered([1, 1, 1], [1, 2, 2]), "1 queries are answered twice"),
        (answered([], []), "no queries"),
    ],
)
def test_other_queries_are_refused_and_counted(other: Outcomes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        differences([answered([1, 2, 3])], [other], WANTED)


def test_batch_means_and_ties_count_as_the_estimator_says() -> None:
    a, b = drawn("a", 18, worst=15), drawn("b", 18, worst=15)
    for estimator in ("batch-mean:16", "target-first"):
        expected = [metrics.estimate(a, *at, estimator) - metrics.estimate(b, *at, estimator) for at in WANTED]
        assert differences([a], [b], WANTED, estimator).mean() == pytest.approx(expected)
    order = rng(4, "order").permutation(18)
    expected = [metrics.estimate(one.take(order), "NDCG", 10, "batch-mean:16") for one in (a, b)]
    shuffled = differences([a.take(order)], [b.take(order)], [("NDCG", 10)], "batch-mean:16")
    assert shuffled.mean() == pytest.approx([expected[0] - expected[1]])
    tied = differences([answered([4], ties=[3])], [answered([1])], [("MRR", 10)], "target-first")
    assert tied.mean() == pytest.approx([0])


def test_ties_are_spread_over_their_places_where_asked() -> None:
    ranks, ties = [1, 4, 12, 30, 21, 3], [0, 3, 3, 9, 20, 0]
    a, b = answered(ranks, ties=ties), answered([2, 5, 1, 14, 21, 3])
    expected = [metrics.estimate(a, *at, "tie-mean") - metrics.estimate(b, *at, "tie-mean") for at in WANTED]
    assert differences([a], [b], WANTED, "tie-mean").mean() == pytest.approx(expected)


def test_a_systems_value_is_the_mean_over_its_seeds() -> None:
    seeds = [drawn(name, 40, worst=15) for name in "abc"]
    other = drawn("d", 40, worst=15)
    expected = [np.mean([metrics.estimate(one, *at) for one in seeds]) - metrics.estimate(other, *at) for at in WANTED]
    assert differences(seeds, [other], WANTED).mean() == pytest.approx(expected)


def test_groups_with_the_same_differences_are_one() -> None:
    paired = differences([drawn("a", 5000)], [drawn("b", 5000)], WANTED)
    assert len(paired.count) <= 11 * 11
