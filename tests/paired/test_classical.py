import pytest
from scipy import stats as scipy_stats

from harness import metrics
from harness.paired.classical import mcnemar, t_test
from harness.paired.differences import differences
from tests.paired.answers import WANTED, drawn


def test_t_is_scipys() -> None:
    a, b = drawn("a", 200, worst=15), drawn("b", 200, worst=15)
    for p, (metric, k) in zip(t_test(differences([a], [b], WANTED)), WANTED, strict=True):
        oracle = scipy_stats.ttest_rel(metrics.per_query(a, metric, k), metrics.per_query(b, metric, k))
        assert p == pytest.approx(oracle.pvalue, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 3) == pytest.approx(2 * (1 + 4) / 16)
