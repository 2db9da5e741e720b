"""The range of p that printed cells allow: against brute force, against random outcomes with these cells, by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.audit.programme import Cells
from harness.audit.pvalues import Overlap, Spread, decide, mcnemar_range, p_range
from harness.errors import InputError
from harness.metrics import METRICS

GAMES_A = {("MRR", 10): "0.0671", ("NDCG", 10): "0.0887", ("Recall", 10): "0.1599"}
GAMES_B = {("MRR", 10): "0.0598", ("NDCG", 10): "0.0800", ("Recall", 10): "0.1463"}
ROUNDING = 1e-9


def cells_of(rank: np.ndarray, cuts: tuple[int, ...], digits: int) -> Cells:
    return {(name, k): f"{metric(rank, k).mean():.{digits}f}" for name, metric in METRICS.items() for k in cuts}


def mcnemar(gap: np.ndarray) -> float:
    only_a, only_b = int((gap > 0).sum()), int((gap < 0).sum())
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def paired_t(gap: np.ndarray) -> float:
    if not gap.std():
        return 0.0 if gap[0] else 1.0
    return float(stats.ttest_1samp(gap, 0).pvalue)


@pytest.mark.parametrize("users", [2, 7, 12])
def test_mcnemars_range_is_that_of_all_overlaps(users: int) -> None:
    for a, b in product(range(users + 1), repeat=2):
        found = mcnemar_range([a], [b], users)
        all_p = [
            mcnemar(np.repeat([1, -1], [a - both, b - both])) for both in range(max(0, a + b - users), min(a, b) + 1)
        ]
        assert found is not None
        assert (found.p_low, found.p_high) == pytest.approx((min(all_p), max(all_p)))
        assert found.exact


def test_mcnemars_range_takes_every_number_of_hits() -> None:
    one = [mcnemar_range([a], [b], 30) for a in (10, 11) for b in (3, 4, 5)]
    both = mcnemar_range(range(10, 12), range(3, 6), 30)
    assert both is not None
    assert both.p_low == min(found.p_low for found in one if found)
    assert both.p_high == max(found.p_high for found in one if found)
    assert (both.at_low, both.at_high) == (Overlap(11, 3, 3), Overlap(10, 5, 0))
    assert mcnemar_range([], [3], 30) is None


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(3, 400),
    cuts=st.sampled_from([(5,), (10,), (5, 10)]),
    digits=st.integers(2, 6),
)
def test_the_range_holds_the_p_of_all_outcomes_with_these_cells(
    seed: int, users: int, cuts: tuple[int, ...], digits: int
) -> None:
    """Twenty couplings of each table: any, and the two that pull together and apart the most."""
    generator = np.random.default_rng(seed)
    rank_a, rank_b = (np.sort(generator.geometric(generator.uniform(0.02, 0.4), users)) for _ in range(2))
    a, b = cells_of(rank_a, cuts, digits), cells_of(rank_b, (*cuts, 3), digits)
    orders = [np.arange(users), np.arange(users)[::-1], *(generator.permutation(users) for _ in range(18))]
    for metric, k in a:
        found = p_range(a, b, metric, k, users)
        assert found is not None
        assert 0 <= found.p_low <= found.p_high <= 1
        gain_a, gain_b = METRICS[metric](rank_a, k), METRICS[metric](rank_b, k)
        for order in orders:
            p = (mcnemar if metric == "Recall" else paired_t)(gain_a - gain_b[order])
            assert found.p_low - ROUNDING <= p <= found.p_high + ROUNDING, (metric, k)


def test_the_bounds_are_attained_where_the_digits_say_all() -> None:
    """Targets at rank 1, 2 or beyond: Recall at 1 and 2 fixes both marginals, and then many couplings are tried."""
    rank_a, rank_b = np.repeat([1, 2, 3], [3, 2, 3]), np.repeat([1, 2, 3], [1, 2, 5])
    a, b = cells_of(rank_a, (1, 2), 7), cells_of(rank_b, (1, 2), 7)
    found = p_range(a, b, "MRR", 2, 8)
    gain_a, gain_b = METRICS["MRR"](rank_a, 2), METRICS["MRR"](rank_b, 2)
    generator = np.random.default_rng(0)
    all_p = [paired_t(gain_a - generator.permutation(gain_b)) for _ in range(1500)]
    assert found is not None
    assert not found.exact
    assert found.p_low <= min(all_p) == pytest.approx(found.p_low, rel=1e-3)
    assert found.p_high >= max(all_p) == pytest.approx(found.p_high, rel=1e-3)
    assert isinstance(found.at_low, Spread)
    assert found.at_low.difference == pytest.approx(0.25, rel=1e-3)


def test_further_cells_narrow_the_bounds() -> None:
    alone = p_range({("NDCG", 10): "0.0887"}, {("NDCG", 10): "0.0800"}, "NDCG", 10, 15_264)
    together = p_range(GAMES_A, GAMES_B, "NDCG", 10, 15_264)
    assert alone is not None
    assert together is not None
    assert alone.p_low <= together.p_low < together.p_high < 0.9 * alone.p_high


@pytest.mark.parametrize(
    ("users", "a", "b", "p_low", "p_high", "decision"),
    [
        (610, "0.1524", "0.1426", 2 * 0.5**6, 0.709, "undecidable without the data"),
        (22_332, "0.0971", "0.0916", 4.7e-38, 0.0645, "undecidable without the data"),
        (15_264, "0.1599", "0.1463", 2.43e-63, 0.00271, "significant"),
    ],
)
def test_llamarecs_claims_of_recall(users: int, a: str, b: str, p_low: float, p_high: float, decision: str) -> None:
    """LlamaRec against LRURec, Recall@10 of Table 1: 93 against 87 hits of 610 users, with all or none in common."""
    found = p_range({("Recall", 10): a}, {("Recall", 10): b}, "Recall", 10, users)
    assert found is not None
    assert (found.p_low, found.p_high) == pytest.approx((p_low, p_high), rel=0.01)
    assert found.decision == decision


def test_llamarecs_claims_of_ndcg() -> None:
    few = p_range({("NDCG", 10): "0.0759"}, {("NDCG", 10): "0.0705"}, "NDCG", 10, 610)
    many = p_range(GAMES_A, GAMES_B, "NDCG", 10, 15_264)
    assert few is not None
    assert many is not None
    assert few.decision == "undecidable without the data"
    assert many.decision == "significant"
    assert many.p_high == pytest.approx(0.0019, rel=0.05)


def test_no_difference() -> None:
    same = {("MRR", 10): "0.0000"}
    nothing = p_range(same, same, "MRR", 10, 100)
    assert nothing is not None
    assert nothing.p_high == 1.0
    assert nothing.decision != "significant"
    tiny = p_range({("MRR", 10): "0.3001"}, {("MRR", 10): "0.3000"}, "MRR", 10, 5)
    assert tiny is not None
    assert isinstance(tiny.at_high, Spread)
    assert (tiny.p_high, tiny.at_high.difference) == (1.0, 0.0)


def test_cells_that_no_ranks_give_have_no_p() -> None:
    good = {("Recall", 10): "0.50", ("MRR", 10): "0.20"}
    bad = {("Recall", 10): "0.20", ("MRR", 10): "0.50"}
    assert p_range(good, bad, "MRR", 10, 100) is None
    assert p_range({("Recall", 10): "0.50"}, {("Recall", 10): "0.33"}, "Recall", 10, 2) is None


def test_a_paired_test_needs_two_users() -> None:
    cells = {("MRR", 10): "0.50"}
    with pytest.raises(InputError, match="users is 1; a paired test needs 2 or more"):
        p_range(cells, cells, "MRR", 10, 1)


def test_only_a_range_on_one_side_decides() -> None:
    assert decide(0.0, 0.05) == "significant"
    assert decide(0.051, 1.0) == "not significant"
    assert decide(0.05, 0.051) == "undecidable without the data"
