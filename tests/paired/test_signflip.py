import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness import metrics
from harness.paired.differences import differences
from harness.paired.signflip import sign_flip
from harness.seeds import rng
from tests.paired.answers import WANTED, drawn, per_query
from tests.worlds import answered


def test_sign_flips_of_few_queries_by_hand() -> None:
    # differences 1, 1, 1 of Recall: of 8 assignments 2 are as extreme, so p tends to 1/4
    paired = differences([answered([1, 1, 1])], [answered([2, 2, 2])], [("Recall", 1)])
    p, p_wilcoxon = sign_flip(paired, 40_000, 1, "x")
    assert p == pytest.approx([0.25], abs=0.01)
    assert p_wilcoxon == pytest.approx([0.25], abs=0.01)


@settings(max_examples=25)
@example([(1, 2), (2, 5), (5, 1)])
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=9))
def test_sign_flips_are_scipys_exact_test(ranks: list[tuple[int, int]]) -> None:
    a, b = (answered(list(side)) for side in zip(*ranks, strict=True))
    p, _ = sign_flip(differences([a], [b], WANTED), 20_000, 7, "x")
    for value, (metric, k) in zip(p, WANTED, strict=True):
        scale = {"Recall": 1, "MRR": 27_720, "NDCG": 10**9}[metric]  # whole numbers, so that equal sums are equal
        whole = [np.round(scale * metrics.per_query(side, metric, k)).astype(np.int64) for side in (a, b)]
        d = whole[0] - whole[1]
        flips = np.array(np.meshgrid(*[[1, -1]] * len(d))).reshape(len(d), -1).T
        exact = float((np.abs(flips @ d) >= abs(d.sum())).mean())
        assert value == pytest.approx(exact, abs=0.02)
        if len(d) > 1:
            oracle = scipy_stats.permutation_test(
                (d,), lambda x: abs(x.sum()), permutation_type="samples", alternative="greater", n_resamples=np.inf
            )
            assert exact == pytest.approx(oracle.pvalue, abs=1e-9)


def test_signed_ranks_agree_with_scipys_wilcoxon_where_samples_are_large() -> None:
    a, b = drawn("one", 900, worst=14), drawn("two", 900, best=1, worst=16)
    _, p = sign_flip(differences([a], [b], WANTED), 50_000, 7, "x")
    for value, (metric, k) in zip(p, WANTED, strict=True):
        oracle = scipy_stats.wilcoxon(np.round(per_query(a, b, metric, k), 12), method="approx", correction=False)
        assert value == pytest.approx(oracle.pvalue, abs=0.012)


def test_hundreds_of_queries_alike_are_flipped_one_by_one() -> None:
    # 115 queries with one difference and 85 with its negative need more than one word of bits
    a, b = answered([1] * 115 + [2] * 85), answered([2] * 115 + [1] * 85)
    p, _ = sign_flip(differences([a], [b], [("Recall", 1)]), 100_000, 1, "x")
    assert p[0] == pytest.approx(scipy_stats.binomtest(115, 200).pvalue, abs=0.003)


def test_p_is_never_0_and_1_where_nothing_differs() -> None:
    a, b = answered([1] * 500), answered([20] * 500)
    assert sign_flip(differences([a], [b], WANTED), 999, 1, "x")[0] == pytest.approx([1 / 1000] * 6)
    assert sign_flip(differences([a], [a], WANTED), 999, 1, "x")[0].tolist() == [1] * 6


def test_the_randomisation_tests_level_is_held_when_nothing_is_different() -> None:
    generator = rng(5, "null")
    found = []
    for trial in range(400):
        ranks = generator.integers(1, 14, (2, 60))
        a, b = answered(ranks[0].tolist()), answered(ranks[1].tolist())
        found.append(sign_flip(differences([a], [b], [("NDCG", 10)]), 999, trial, "x")[0][0])
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize(("one", "other"), [(40, 24), (75, 53)])
def test_a_group_that_fills_its_words_of_bits_is_flipped_whole(one: int, other: int) -> None:
    a, b = answered([1] * one + [2] * other), answered([2] * one + [1] * other)
    p, _ = sign_flip(differences([a], [b], [("Recall", 1)]), 100_000, 1, "x")
    assert p[0] == pytest.approx(scipy_stats.binomtest(one, one + other).pvalue, abs=0.004)
