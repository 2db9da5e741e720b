import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness import metrics, stats
from harness.seeds import rng
from tests.worlds import answered

VALUES = [0.0512, 0.0498, 0.0533, 0.0541, 0.0505]


def test_seeds_interval_is_students() -> None:
    expected = scipy_stats.t.interval(0.95, 4, loc=np.mean(VALUES), scale=scipy_stats.sem(VALUES))
    assert stats.seeds_interval(VALUES) == pytest.approx(expected, abs=1e-15)


def test_equal_seeds_have_no_spread() -> None:
    assert stats.seeds_interval([0.05, 0.05]) == (0.05, 0.05)
    assert stats.prediction_half_width([0.05, 0.05]) == 1e-4


def test_prediction_by_hand() -> None:
    assert stats.prediction_half_width([0.05, 0.06, 0.07]) == pytest.approx(4.30265273 * 0.01 * math.sqrt(4 / 3) + 1e-4)


def test_prediction_covers_one_more_run_in_95_of_100() -> None:
    draws = rng(0, "coverage").normal(0.05, 0.01, size=(4000, 4))
    covered = [abs(np.mean(row[:3]) - row[3]) <= stats.prediction_half_width(list(row[:3])) - 1e-4 for row in draws]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=60),
    st.sampled_from(["exact", "target-first", "batch-mean:1", "batch-mean:7", "batch-mean:16"]),
)
def test_weights_give_the_estimator(ranks: list[int], estimator: str) -> None:
    size = int(estimator.partition(":")[2] or len(ranks))
    weights = metrics.query_weights(len(ranks), estimator)
    values = metrics.per_query(answered(ranks), "NDCG", 10)
    batch_means = [values[start : start + size].mean() for start in range(0, len(ranks), size)]
    assert weights.mean() == pytest.approx(1)
    assert (weights * values).mean() == pytest.approx(np.mean(batch_means))


def test_users_interval_is_the_percentile_bootstrap() -> None:
    values = metrics.ndcg(rng(0, "ranks").integers(1, 40, size=500), 10)
    oracle = scipy_stats.bootstrap((values,), np.mean, method="percentile", rng=rng(0, "oracle"), n_resamples=20_000)
    interval = stats.users_interval(values, np.ones(500), seed=42)
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert interval == pytest.approx(tuple(oracle.confidence_interval), abs=0.06 * width)


def test_users_interval_of_batch_means_is_what_resampling_users_gives() -> None:
    ranks = rng(1, "ranks").integers(1, 25, size=18)
    values, generator = metrics.recall(ranks, 10), rng(2, "oracle")
    resampled = [answered(list(ranks[generator.integers(0, 18, size=18)])) for _ in range(4000)]
    expected = np.quantile([metrics.estimate(r, "Recall", 10, "batch-mean:16") for r in resampled], [0.025, 0.975])
    interval = stats.users_interval(values, metrics.query_weights(18, "batch-mean:16"), seed=42)
    assert interval == pytest.approx(tuple(expected), abs=0.04)


def test_users_interval_depends_on_the_seed_only() -> None:
    values, weights = metrics.mrr(np.arange(1, 40), 10), np.ones(39)
    assert stats.users_interval(values, weights, 1) == stats.users_interval(values[::-1].copy(), weights, 1)
    assert stats.users_interval(values, weights, 1) != stats.users_interval(values, weights, 2)


def test_users_that_are_all_alike_have_no_spread() -> None:
    low, high = stats.users_interval(np.ones(18), metrics.query_weights(18, "batch-mean:16"), seed=1)
    assert (low, high) == pytest.approx((1, 1))
