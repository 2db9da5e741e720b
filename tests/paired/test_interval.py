import numpy as np
import pytest
from scipy import stats as scipy_stats

from harness.paired.differences import differences
from harness.paired.interval import bootstrap
from harness.seeds import rng
from tests.paired.answers import drawn, per_query


def test_the_interval_is_the_percentile_bootstrap_of_pairs() -> None:
    a, b = drawn("a", 300, worst=15), drawn("b", 300, worst=18)
    low, high = bootstrap(differences([a], [b], [("NDCG", 10)]), 1, "x")
    d = per_query(a, b, "NDCG", 10)
    oracle = scipy_stats.bootstrap((d,), np.mean, method="percentile", rng=rng(0, "o"), n_resamples=20_000)
    ends = oracle.confidence_interval
    assert (low[0], high[0]) == pytest.approx(tuple(ends), abs=0.06 * (ends.high - ends.low))
