import numpy as np
import pytest
from scipy import stats as scipy_stats

from harness.paired.power import power, queries_needed, smallest_difference
from harness.seeds import rng


def test_power_by_hand_and_by_simulation() -> None:
    assert smallest_difference(1.0, 100) == pytest.approx(2.801585 / 10, rel=1e-6)
    assert queries_needed(0.1, 1.0) == 785
    assert queries_needed(0.0, 1.0) is None
    assert (smallest_difference(0.0, 9), queries_needed(0.1, 0.0), power(0.1, 0.0, 9)) == (None, None, None)
    assert power(smallest_difference(0.3, 610), 0.3, 610) == pytest.approx(0.8)
    draws = rng(2, "power").normal(smallest_difference(1.0, 200), 1.0, (3000, 200))
    assert np.mean(scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.03)
