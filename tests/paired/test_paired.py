"""Paired tests against hand-worked values, scipy, and simulation."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness import metrics
from harness.errors import InputError
from harness.outcomes import Outcomes
from harness.paired.classical import mcnemar, t_test
from harness.paired.comparison import Comparison, Side, all_pairs, compare
from harness.paired.differences import At, Differences, differences
from harness.paired.effect import effects
from harness.paired.holm import holm
from harness.paired.interval import bootstrap
from harness.paired.power import power, queries_needed, smallest_difference
from harness.paired.signflip import sign_flip
from harness.paired.two_sources import two_sources
from harness.seeds import rng

WANTED: list[At] = [(metric, k) for k in (5, 10) for metric in ("Recall", "MRR", "NDCG")]


def answered(ranks: list[int], queries: list[int] | None = None, ties: list[int] | None = None) -> Outcomes:
    rank = np.array(ranks)
    query = np.array(queries) if queries else np.arange(1, len(ranks) + 1)
    return Outcomes(query, rank, np.array(ties) if ties else np.zeros_like(rank), np.ones(len(ranks), dtype=bool))


def drawn(name: str, count: int, best: int = 1, worst: int = 30) -> Outcomes:
    return answered(rng(3, name).integers(best, worst, count).tolist())


def per_query(a: Outcomes, b: Outcomes, metric: str, k: int) -> np.ndarray:
    return metrics.per_query(a, metric, k) - metrics.per_query(b, metric, k)


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
    tied = differences([answered([4], ties=[3])], [answered([1])], [("MRR", 10)], "target-first")
    assert tied.mean() == pytest.approx([0])


def test_a_systems_value_is_the_mean_over_its_seeds() -> None:
    seeds = [drawn(name, 40, worst=15) for name in "abc"]
    other = drawn("d", 40, worst=15)
    expected = [np.mean([metrics.estimate(one, *at) for one in seeds]) - metrics.estimate(other, *at) for at in WANTED]
    assert differences(seeds, [other], WANTED).mean() == pytest.approx(expected)


def test_sign_flips_of_few_queries_by_hand() -> None:
    # differences 1, 1, 1 of Recall: of 8 assignments 2 are as extreme, so p tends to 1/4
    paired = differences([answered([1, 1, 1])], [answered([2, 2, 2])], [("Recall", 1)])
    p, p_wilcoxon = sign_flip(paired, 40_000, 1, "x")
    assert p == pytest.approx([0.25], abs=0.01)
    assert p_wilcoxon == pytest.approx([0.25], abs=0.01)


@settings(deadline=None, max_examples=25)
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


def test_t_is_scipys() -> None:
    a, b = drawn("a", 200, worst=15), drawn("b", 200, worst=15)
    for p, (metric, k) in zip(t_test(differences([a], [b], WANTED)), WANTED, strict=True):
        oracle = scipy_stats.ttest_rel(metrics.per_query(a, metric, k), metrics.per_query(b, metric, k))
        assert p == pytest.approx(oracle.pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2], [1, 2], (0.0, 1.0, 1.0, 0.0)),  # all equal
        ([1], [2], (1.0, None, 1.0, None)),  # one query
        ([1, 1], [2, 2], (1.0, None, 0.5, None)),  # two queries, no variance
    ],
)
def test_degenerate_samples_have_defined_answers(
    a: list[int], b: list[int], expected: tuple[float, float | None, float, float | None]
) -> None:
    (row,) = compare([(Side("a", (answered(a),)), Side("b", (answered(b),)))], [("Recall", 1)], 1, permutations=9999)
    difference, p_t, p, d = expected
    assert (row.difference, row.p_t, row.effect) == (difference, p_t, d)
    assert row.p == pytest.approx(p, abs=0.02)
    assert row.p_mcnemar == pytest.approx(p, abs=0.02)
    assert not any(value != value for value in row.model_dump().values())


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 3) == pytest.approx(2 * (1 + 4) / 16)


def test_effects_by_hand() -> None:
    (size,) = effects(differences([answered([1, 1, 1, 9])], [answered([2, 2, 1, 1])], [("Recall", 1)]))
    assert (size.wins, size.ties, size.losses) == (2, 1, 1)
    assert size.superiority == (2 + 0.5) / 4
    assert size.d == pytest.approx(0.25 / np.std([1, 1, 0, -1], ddof=1))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_the_plain_and_bonferronis(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_the_interval_is_the_percentile_bootstrap_of_pairs() -> None:
    a, b = drawn("a", 300, worst=15), drawn("b", 300, worst=18)
    low, high = bootstrap(differences([a], [b], [("NDCG", 10)]), 1, "x")
    d = per_query(a, b, "NDCG", 10)
    oracle = scipy_stats.bootstrap((d,), np.mean, method="percentile", rng=rng(0, "o"), n_resamples=20_000)
    ends = oracle.confidence_interval
    assert (low[0], high[0]) == pytest.approx(tuple(ends), abs=0.06 * (ends.high - ends.low))


def test_power_by_hand_and_by_simulation() -> None:
    assert smallest_difference(1.0, 100) == pytest.approx(2.801585 / 10, rel=1e-6)
    assert queries_needed(0.1, 1.0) == 785
    assert queries_needed(0.0, 1.0) is None
    assert power(smallest_difference(0.3, 610), 0.3, 610) == pytest.approx(0.8)
    draws = rng(2, "power").normal(smallest_difference(1.0, 200), 1.0, (3000, 200))
    assert np.mean(scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.03)


def test_two_sources_hold_their_level_when_users_and_seeds_both_vary() -> None:
    generator = rng(9, "crossed")
    rejected = []
    for _ in range(1500):
        users = generator.normal(0, 1, (2, 80, 1)) * 0.3
        runs = users + generator.normal(0, 0.1, (2, 1, 3)) + generator.normal(0, 0.3, (2, 80, 3))
        per_user = runs[0].mean(1) - runs[1].mean(1)
        a, b = (runs[side].mean(0).tolist() for side in (0, 1))
        rejected.append(two_sources(per_user.mean(), per_user.std(ddof=1), 80, a, b).p < 0.05)
    assert 0.005 < np.mean(rejected) <= 0.065


def test_two_sources_need_two_seeds_a_side() -> None:
    assert two_sources(0.1, 0.2, 50, [0.3], [0.1, 0.2]) is None
    found = two_sources(0.1, 0.2, 50, [0.3, 0.32], [0.2, 0.22])
    assert found.se_users == pytest.approx(0.2 / 50**0.5)
    assert found.se_seeds == pytest.approx(np.sqrt(0.0002 / 2 + 0.0002 / 2))
    assert found.low < 0.1 < found.high
    assert two_sources(0.0, 0.0, 50, [0.3, 0.3], [0.3, 0.3]).p == 1
    assert two_sources(0.1, 0.0, 50, [0.3, 0.3], [0.2, 0.2]) is None


def sides() -> list[Side]:
    return [Side(name, (drawn(name, 150, worst=20),)) for name in ("one", "two", "three")]


def test_the_answer_does_not_depend_on_the_number_of_threads() -> None:
    alone, together = (compare(all_pairs(sides()), WANTED, 42, permutations=999, threads=n) for n in (1, 3))
    assert alone == together
    assert [row.family for row in alone] == [18] * 18
    assert compare(all_pairs(sides()), WANTED, 43, permutations=999) != alone


def test_too_few_permutations_for_the_family_are_refused() -> None:
    with pytest.raises(InputError, match="a family of 18 tests needs 359 or more"):
        compare(all_pairs(sides()), WANTED, 42, permutations=358)
    with pytest.raises(InputError, match="nothing to compare"):
        compare([], WANTED, 42)


def test_swapping_the_systems_swaps_the_signs() -> None:
    one, two, _ = sides()
    (there,) = compare([(one, two)], [("NDCG", 10)], 42, permutations=50_000)
    (back,) = compare([(two, one)], [("NDCG", 10)], 42, permutations=50_000)
    assert (back.difference, back.effect) == pytest.approx((-there.difference, -there.effect))
    assert (back.wins, back.losses) == (there.losses, there.wins)
    assert back.p == pytest.approx(there.p, abs=0.01)
    assert isinstance(there, Comparison)


@pytest.mark.parametrize("seeds", [2, 3, 5, 6, 10])
def test_equal_systems_with_several_seeds_are_equal(seeds: int) -> None:
    runs = tuple(drawn(str(seed), 80, worst=15) for seed in range(seeds))
    for row in compare([(Side("a", runs), Side("b", runs[::-1]))], WANTED, 1, permutations=999):
        assert (row.wins, row.losses, row.difference, row.p, row.effect, row.n_needed) == (0, 0, 0, 1, 0, None)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_ranks_at_other_queries_differ_by_0_on_average(seed: int) -> None:
    a = drawn("a", 200, worst=15)
    b = answered(rng(seed, "other order").permutation(a.rank).tolist())
    for row in compare([(Side("A", (a,)), Side("B", (b,)))], [("NDCG", 10), ("MRR", 10)], 1, permutations=100):
        assert (row.difference, row.effect, row.p, row.p_t, row.n_needed) == (0, 0, 1, 1, None)
        assert row.wins
        assert row.losses


def test_groups_with_the_same_differences_are_one() -> None:
    paired = differences([drawn("a", 5000)], [drawn("b", 5000)], WANTED)
    assert isinstance(paired, Differences)
    assert len(paired.count) <= 11 * 11
