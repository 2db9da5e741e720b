"""Any ranks for these cells? Against brute force, against honest random tables, and on published columns."""

from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult

from harness.audit.constraints import Constraints, batched
from harness.audit.feasibility import INFEASIBLE, fit_counts, fit_shares
from harness.audit.printed import CONVENTIONS, interval
from harness.audit.programme import Cells
from harness.errors import InputError
from harness.metrics import METRICS, query_weights

NARM = {  # LlamaRec's Table 1, ML-100k, 610 users
    ("MRR", 5): "0.0298",
    ("NDCG", 5): "0.0359",
    ("Recall", 5): "0.0544",
    ("MRR", 10): "0.0332",
    ("NDCG", 10): "0.0441",
    ("Recall", 10): "0.0801",
}
CORE = {  # LLM-TRSR's Table 2, Amazon-M2, 1,000 users
    ("Recall", 3): "0.5230",
    ("Recall", 5): "0.4632",
    ("Recall", 10): "0.6450",
    ("MRR", 3): "0.4527",
    ("MRR", 5): "0.4632",
    ("MRR", 10): "0.4728",
}

GAVE_UP = 1


def printed(mean: float, digits: int, cut: bool) -> str:
    return f"{floor(mean * 10**digits) / 10**digits if cut else mean:.{digits}f}"


def table(rank: np.ndarray, cuts: tuple[int, ...], digits: int, cut: bool, batch: int | None = None) -> Cells:
    """What an honest evaluation of these ranks prints."""
    weights = query_weights(len(rank), f"batch-mean:{batch}" if batch else "exact")
    return {
        (name, k): printed(float((metric(rank, k) * weights).mean()), digits, cut)
        for name, metric in METRICS.items()
        for k in cuts
    }


def some_ranks_print(cells: Cells, users: int, batch: int | None) -> bool:
    """Try every ranking of so many users; the order matters only between full batches and the last one."""
    last = users % batch if batch else 0
    weights = query_weights(users, f"batch-mean:{batch}" if batch else "exact")
    stands_for = [[interval(text, convention) for text in cells.values()] for convention in CONVENTIONS]
    full = combinations_with_replacement(range(1, 5), users - last)
    for head, tail in product(full, list(combinations_with_replacement(range(1, 5), last))):
        rank = np.array([*head, *tail])
        means = [(METRICS[metric](rank, k) * weights).mean() for metric, k in cells]
        if any(
            all(low <= mean <= high for mean, (low, high) in zip(means, column, strict=True)) for column in stands_for
        ):
            return True
    return False


@settings(max_examples=150)
@given(st.data())
def test_agrees_with_all_rankings_of_a_few_users(data: st.DataObject) -> None:
    users = data.draw(st.integers(1, 5), "users")
    batch = data.draw(st.sampled_from([None, 2, 3]), "batch")
    digits = data.draw(st.integers(1, 3), "digits")
    rank = np.array(data.draw(st.lists(st.integers(1, 4), min_size=users, max_size=users), "ranks"))
    cells = dict(table(rank, (2, 3), digits, data.draw(st.booleans(), "cut"), batch))
    changed = data.draw(st.sampled_from(sorted(cells)), "changed")
    step = data.draw(st.integers(-3, 3), "step")
    cells[changed] = f"{max(0.0, float(cells[changed]) + step / 10**digits):.{digits}f}"
    fit = fit_counts(cells, users, batch)
    assert fit.feasible == some_ranks_print(cells, users, batch)
    assert (fit.deviation == 0) == fit.feasible
    if fit.feasible:
        assert fit.proven
        assert fit_shares(cells).feasible


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(1, 3000),
    cuts=st.sampled_from([(10,), (5, 10), (3, 5, 10), (1, 5, 10, 20)]),
    digits=st.integers(2, 6),
    cut=st.booleans(),
    batch=st.sampled_from([None, None, 16, 64]),
)
def test_an_honest_table_is_never_refused(
    seed: int, users: int, cuts: tuple[int, ...], digits: int, cut: bool, batch: int | None
) -> None:
    generator = np.random.default_rng(seed)
    chances = generator.dirichlet(np.append(np.full(20, 0.3), 10 * generator.random()))
    cells = table(generator.choice(21, size=users, p=chances) + 1, cuts, digits, cut, batch)
    assert fit_shares(cells).feasible
    assert fit_counts(cells, users, batch).feasible is not False


def test_a_single_precision_mean_is_honest() -> None:
    rank = np.random.default_rng(0).integers(1, 12, size=22_332)
    cells = {}
    for (name, metric), k in product(METRICS.items(), (5, 10)):
        total = np.cumsum(metric(rank, k).astype(np.float32))[-1]
        cells[name, k] = f"{total / np.float32(len(rank)):.9f}"
    assert fit_shares(cells).feasible
    assert fit_counts(cells, len(rank)).feasible


def test_the_nearest_by_hand() -> None:
    """MRR@2 is at least half of Recall@2: cut, 0.50 - t units asks for 0.25 - t/2 and 0.23 + 1 + t units are there."""
    fit = fit_shares({("Recall", 2): "0.50", ("MRR", 2): "0.23"})
    assert (fit.feasible, fit.proven, fit.convention) == (False, True, "cut")
    assert fit.deviation == pytest.approx(2 / 3, abs=0.01)
    assert fit.nearest["Recall", 2] == pytest.approx(0.5 - 0.02 / 3, abs=1e-4)
    assert fit.nearest["MRR", 2] == pytest.approx(0.24 + 0.02 / 3, abs=1e-4)
    three = fit_counts({("Recall", 2): "0.50"}, users=3)
    assert (three.feasible, three.proven) == (False, True)
    assert three.nearest["Recall", 2] in (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert three.deviation == pytest.approx((2 / 3 - 0.51) / 0.01, abs=0.01)


def test_only_the_mean_of_batch_means_explains_a_column() -> None:
    exact = fit_counts(NARM, users=610)
    assert (exact.feasible, exact.proven) == (False, True)
    assert exact.deviation > 1
    batched_mean = fit_counts(NARM, users=610, batch=16)
    assert (batched_mean.feasible, batched_mean.proven, batched_mean.convention) == (True, True, "cut")
    assert fit_shares(NARM).feasible


def test_no_number_of_users_explains_a_recall_that_falls() -> None:
    fit = fit_shares(CORE)
    assert (fit.feasible, fit.proven) == (False, True)
    assert fit.deviation == pytest.approx((5230 - 4632 - 1) / 2, rel=0.01)
    assert fit.nearest["Recall", 3] == pytest.approx(fit.nearest["Recall", 5])
    assert fit_counts(CORE, users=1000).feasible is False


def test_the_gain_between_two_cut_offs_is_bounded() -> None:
    """RecMind in LlamaRec's Table 4: 159 more hits from 6th place on add at most 159 / log2(7) = 57 to NDCG, not 86."""
    cells = {("NDCG", 5): "0.0289", ("Recall", 5): "0.0415", ("NDCG", 10): "0.0375", ("Recall", 10): "0.0574"}
    assert fit_shares(cells).feasible is False
    assert fit_shares(cells | {("NDCG", 10): "0.0345"}).feasible


@pytest.mark.parametrize(
    "statuses", [{0: GAVE_UP}, {0: INFEASIBLE, 1: GAVE_UP}, {0: INFEASIBLE, 1: 0}], ids=["no", "half", "contradicted"]
)
def test_only_a_search_that_says_it_twice_refuses(monkeypatch: pytest.MonkeyPatch, statuses: dict[int, int]) -> None:
    def search(counts: Constraints, leeway: float) -> OptimizeResult:
        return OptimizeResult(status=statuses.get(leeway, GAVE_UP), x=None)

    monkeypatch.setattr("harness.audit.feasibility._search", search)
    fit = fit_counts({("Recall", 2): "0.50", ("MRR", 2): "0.38"}, users=8)
    assert (fit.feasible, fit.proven) == (None, False)
    monkeypatch.setattr(
        "harness.audit.feasibility._search", lambda counts, leeway: OptimizeResult(status=INFEASIBLE, x=None)
    )
    fit = fit_counts({("Recall", 2): "0.50", ("MRR", 2): "0.38"}, users=8)
    assert (fit.feasible, fit.proven) == (False, False)


def test_users_of_a_short_last_batch_count_for_more() -> None:
    assert [(g.users, g.weight) for g in batched(610, 16)] == [(608, Fraction(1, 624)), (2, Fraction(1, 78))]
    assert [(g.users, g.weight) for g in batched(608, 16)] == [(608, Fraction(1, 608))]
    assert [(g.users, g.weight) for g in batched(5, 16)] == [(5, Fraction(1, 5))]
    assert [(g.users, g.weight) for g in batched(610)] == [(610, Fraction(1, 610))]


@pytest.mark.parametrize("text", ["", "n/a", "0,0852", "8.52%", "1e-3", "-0.1"])
def test_what_is_no_plain_decimal_number(text: str) -> None:
    with pytest.raises(InputError, match="no plain decimal number; write it like 0.0852"):
        fit_shares({("Recall", 5): text})
