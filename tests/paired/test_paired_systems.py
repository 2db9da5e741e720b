import numpy as np
import pytest

from harness import metrics
from harness.errors import InputError
from harness.paired.comparison import Side, all_pairs, compare
from harness.seeds import rng
from tests.paired.answers import WANTED, drawn
from tests.worlds import answered


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
    pair = (Side("a", (answered(a),), ("a",)), Side("b", (answered(b),), ("b",)))
    (row,) = compare([pair], [("Recall", 1)], 1, permutations=9999)
    difference, p_t, p, d = expected
    assert (row.difference, row.p_t, row.effect) == (difference, p_t, d)
    assert row.p == pytest.approx(p, abs=0.02)
    assert row.p_mcnemar == pytest.approx(p, abs=0.02)
    assert (row.mde_80, row.n_needed) == (None, None)
    assert not any(value != value for value in row.model_dump().values())


def sides() -> list[Side]:
    return [Side(name, (drawn(name, 150, worst=20),), (name,)) for name in ("one", "two", "three")]


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


@pytest.mark.parametrize("seeds", [2, 3, 5, 6, 10])
def test_equal_systems_with_several_seeds_are_equal(seeds: int) -> None:
    runs = tuple(drawn(str(seed), 80, worst=15) for seed in range(seeds))
    names = tuple(map(str, range(seeds)))
    pair = (Side("a", runs, names), Side("b", runs[::-1], tuple(name + "b" for name in names)))
    for row in compare([pair], WANTED, 1, permutations=999):
        assert (row.wins, row.losses, row.difference, row.p, row.effect, row.n_needed) == (0, 0, 0, 1, 0, None)


def test_a_difference_that_is_the_same_everywhere_has_no_t_whatever_it_rounds_to() -> None:
    a, b = (
        Side(name, (answered([rank] * 103),) * 3, tuple(name + seed for seed in "123"))
        for name, rank in (("a", 3), ("b", 7))
    )
    different = [row for row in compare([(a, b)], WANTED, 1, permutations=999) if row.difference]
    assert len(different) == 5  # all but Recall@10
    for row in different:
        assert (row.p_t, row.p_both, row.effect, row.mde_80, row.n_needed) == (None,) * 5


def test_runs_that_share_a_draw_are_paired_by_it_in_any_order() -> None:
    lists = [drawn(name, 100, worst=40) for name in "xyz"]
    ranked = [answered(np.maximum(1, one.rank - 1).tolist()) for one in lists]
    retriever = Side("retriever", tuple(lists), ("x", "y", "z"))
    (paired,) = compare(
        [(Side("ranker", tuple(ranked), ("x", "y", "z")), retriever)], [("MRR", 10)], 1, permutations=99
    )
    turned = Side("ranker", (ranked[2], ranked[0], ranked[1]), ("z", "x", "y"))
    (same,) = compare([(turned, retriever)], [("MRR", 10)], 1, permutations=99)
    (apart,) = compare([(Side("ranker", tuple(ranked), ("1", "2", "3")), retriever)], [("MRR", 10)], 1, permutations=99)
    assert (same.difference, same.se_seeds, same.p_both) == pytest.approx(
        (paired.difference, paired.se_seeds, paired.p_both)
    )
    own = [
        metrics.estimate(one, "MRR", 10) - metrics.estimate(base, "MRR", 10)
        for one, base in zip(ranked, lists, strict=True)
    ]
    assert paired.se_seeds == pytest.approx(np.std(own, ddof=1) / 3**0.5)
    assert apart.se_seeds != pytest.approx(paired.se_seeds)


def test_a_ranker_that_changes_nothing_equals_the_run_that_it_ranked_however_many_seeds_its_retriever_has() -> None:
    lists = tuple(drawn(name, 100, worst=40) for name in "xyz")
    idle = Side("ranker", lists[1:2], ("y",))
    (row,) = compare([(idle, Side("retriever", lists, ("x", "y", "z")))], [("NDCG", 10)], 1, permutations=99)
    assert (row.difference, row.wins, row.losses, row.seeds_a, row.seeds_b, row.p) == (0, 0, 0, 1, 1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_ranks_at_other_queries_differ_by_0_on_average(seed: int) -> None:
    a = drawn("a", 200, worst=15)
    b = answered(rng(seed, "other order").permutation(a.rank).tolist())
    pair = (Side("A", (a,), ("a",)), Side("B", (b,), ("b",)))
    for row in compare([pair], [("NDCG", 10), ("MRR", 10)], 1, permutations=100):
        assert (row.difference, row.effect, row.p, row.p_t, row.n_needed) == (0, 0, 1, 1, None)
        assert row.wins
        assert row.losses
