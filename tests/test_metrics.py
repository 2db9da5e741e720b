import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, Qrel, R, ScoredDoc, nDCG

from harness.errors import InputError
from harness.metrics import METRICS, estimate, metric_at, per_query
from harness.seeds import rng
from tests.worlds import answered


@pytest.mark.parametrize(
    ("metric", "k", "value"),
    [
        ("Recall", 5, 2 / 3),
        ("MRR", 5, (1 + 1 / 3) / 3),
        ("NDCG", 5, (1 + 1 / 2) / 3),
        ("MRR", 10, (1 + 1 / 3 + 1 / 7) / 3),
    ],
)
def test_values_worked_by_hand(metric: str, k: int, value: float) -> None:
    assert estimate(answered([1, 3, 7]), metric, k) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize("k", [1, 3, 5, 10, 20])
def test_agreement_with_ir_measures_on_random_rankings(k: int) -> None:
    generator = rng(7, "rankings")
    scores = generator.random((200, 40))
    targets = generator.integers(40, size=200)
    rank = (scores > scores[np.arange(200), targets][:, None]).sum(axis=1) + 1
    qrels = [Qrel(str(q), str(t), 1) for q, t in enumerate(targets)]
    ranked = [ScoredDoc(str(q), str(d), s) for q, row in enumerate(scores) for d, s in enumerate(row)]
    oracle = ir_measures.calc_aggregate([R @ k, RR @ k, nDCG @ k], qrels, ranked)
    for metric, measure in (("Recall", R @ k), ("MRR", RR @ k), ("NDCG", nDCG @ k)):
        assert estimate(answered(rank.tolist()), metric, k) == pytest.approx(oracle[measure], abs=1e-12)


def test_a_short_last_batch_weighs_as_much_as_a_full_one() -> None:
    assert estimate(answered([1, 1, 1, 99, 1]), "Recall", 5, "batch-mean:4") == pytest.approx((3 / 4 + 1) / 2)


def test_target_first_undoes_the_ties() -> None:
    assert estimate(answered([21], ties=[20]), "Recall", 1, "target-first") == 1
    assert estimate(answered([21], ties=[20]), "Recall", 20) == 0


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 29)), min_size=1, max_size=9), st.integers(1, 12))
def test_tie_mean_is_the_mean_over_all_places_among_what_ties(drawn: list[tuple[int, int]], k: int) -> None:
    found = [(rank, min(ties, rank - 1)) for rank, ties in drawn]
    made = answered([rank for rank, _ in found], ties=[ties for _, ties in found])
    for name, metric in METRICS.items():
        expected = [metric(np.arange(rank - ties, rank + 1), k).mean() for rank, ties in found]
        assert per_query(made, name, k, "tie-mean") == pytest.approx(np.array(expected))
        assert estimate(made, name, k, "tie-mean") == pytest.approx(np.mean(expected))


ranks = st.lists(st.integers(1, 60), min_size=1, max_size=50)


@given(ranks, st.integers(1, 30))
def test_mrr_ndcg_recall_are_ordered_and_rise_with_k(rank: list[int], k: int) -> None:
    made = answered(rank)
    values = [estimate(made, metric, k) for metric in ("MRR", "NDCG", "Recall")]
    assert values == sorted(values)
    for metric in METRICS:
        assert (per_query(made, metric, k) <= per_query(made, metric, k + 1)).all()


@given(ranks, st.integers(1, 60))
def test_batch_mean_is_exact_where_the_batches_are_equal(rank: list[int], size: int) -> None:
    whole = answered((rank * size)[: len(rank) // size * size] or [1] * size)
    assert estimate(whole, "NDCG", 10, f"batch-mean:{size}") == pytest.approx(estimate(whole, "NDCG", 10), abs=1e-12)


@pytest.mark.parametrize("estimator", ["batch-mean", "batch-mean:0", "batch-mean:x", "median"])
def test_unknown_estimators_are_refused(estimator: str) -> None:
    with pytest.raises(InputError, match=estimator):
        estimate(answered([1]), "MRR", 5, estimator)


def test_a_metric_at_a_cut_off() -> None:
    assert metric_at("NDCG@10") == ("NDCG", 10)


@pytest.mark.parametrize("label", ["NDGC@10", "ndcg@10", "NDCG", "NDCG@", "NDCG@0", "NDCG@-1", "NDCG@010", "NDCG@5@5"])
def test_a_misspelt_metric_is_refused(label: str) -> None:
    with pytest.raises(
        ValueError, match=f"'{label}' is no metric at a cut-off, such as NDCG@10; known: Recall, MRR, NDCG"
    ):
        metric_at(label)


def test_unknown_metrics_and_no_outcomes_are_refused() -> None:
    with pytest.raises(InputError, match="Recall, MRR, NDCG"):
        estimate(answered([1]), "Precision", 5)
    with pytest.raises(InputError, match="no outcomes"):
        estimate(answered([]), "MRR", 5)
