"""Each rule on numbers worked by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from harness.audit import arithmetic, audit, claims, coverage, grid, joint, order
from harness.audit.estimators import alternatives, batch_mean, exact
from harness.audit.finding import Finding
from harness.audit.printed import either
from harness.audit.published import Column, Published, Subset
from harness.metrics import Place
from harness.papers.claims import Beats, Claim, Improvement


def column(method: str, users: int | None = None, table: str = "1", **numbers: str) -> Column:
    """E.g. ``Recall5="0.10"``."""
    places = {Place(label.rstrip("0123456789"), int(label.lstrip("MRCGNDecal"))): n for label, n in numbers.items()}
    return Column(table, "Set", method, users, places)


def published(*columns: Column, claim: Claim | None = None) -> Published:
    subset = Subset("3", "1", 20, frozenset({"Retriever", "Ranker"}))
    return Published("p", columns, (subset,), (claim,) if claim else ())


def strengths(found: list[Finding]) -> list[str]:
    return [finding.strength for finding in found]


def test_a_recall_that_falls_with_k_is_impossible() -> None:
    found = list(order.check(published(column("A", Recall3="0.5230", Recall5="0.4632", MRR5="0.4632"))))
    assert [(f.strength, f.metric, f.k) for f in found] == [("impossible", "Recall", 5)]
    assert "Recall@5 0.4632 is below Recall@3 0.5230 by 0.0598" in found[0].detail
    assert "the same digits stand at MRR@5" in found[0].detail


@pytest.mark.parametrize(("small", "wrong"), [("0.5230", 0), ("0.5229", 0), ("0.5228", 1)])
def test_one_unit_may_be_rounding(small: str, wrong: int) -> None:
    assert len(list(order.check(published(column("A", NDCG5="0.5230", Recall5=small))))) == wrong


def test_an_order_broken_twice_is_told_where_it_breaks() -> None:
    found = list(order.check(published(column("A", MRR5="0.5", NDCG5="0.1", Recall5="0.2", Recall10="0.9"))))
    assert [(f.metric, f.k) for f in found] == [("NDCG", 5)]


def test_an_off_grid_recall_shows_its_neighbours() -> None:
    found = list(grid.check(published(column("A", 610, Recall5="0.0544"))))
    assert found[0].strength == "inconsistent"
    assert found[0].detail.startswith(
        "0.0544 is no multiple of 1/610, rounded or cut: 33/610 = 0.054098, 34/610 = 0.055738"
    )


def test_many_possible_hits_are_told_by_their_ends() -> None:
    (note,) = grid.check(published(column("A", 1000, Recall5="0.0", Recall10="0.1230")))
    assert "A (0 to 100; 123 hits)" in note.detail


def test_rounding_and_cutting_are_told_apart() -> None:
    """52/610 = .08525 and 93/610 = .15246: cut; 43/610 = .07049 and 87/610 = .14262: rounded; 61/610 either."""
    cut = column("Cut", 610, Recall5="0.0852", Recall10="0.1524")
    rounded = column("Rounded", 610, Recall5="0.0705", Recall10="0.1426")
    either_way = column("Either", 610, Recall5="0.1000")
    (alone,) = grid.check(published(cut, either_way))
    assert (alone.strength, alone.detail) == (
        "note",
        "exact means of 610 users. cut: Cut (52; 93 hits). rounded or cut: Either (61 hits)",
    )
    (both,) = grid.check(published(cut, rounded))
    assert both.strength == "suspicious"
    assert "rounded: Rounded (43; 87 hits)" in both.detail


def test_more_users_than_digits_leave_no_power() -> None:
    (found,) = grid.check(published(column("A", 22332, Recall5="0.0503")))
    assert (found.strength, "no power: 1/22332 = 0.000045" in found.detail) == ("note", True)


def test_the_hits_behind_a_batch_mean() -> None:
    """610 = 38 x 16 + 2: a hit counts 1/624, and 8/624 in the last batch."""
    estimator = batch_mean(610, 16)
    assert estimator.denominator == 624
    assert estimator.numerators(either("0.0705")) == [44]
    assert estimator.totals(either("0.0705")) == {44, 36 + 1, 28 + 2}
    assert batch_mean(610, 61) == exact(610)


def test_other_estimators_are_tried_from_the_coarsest_to_the_last_digit() -> None:
    """5 users: 2 + 2 + 1 count 1/6 and 2/6, 4 + 1 count 1/8 and 4/8, two runs 1/10."""
    assert [each.name for each in alternatives(5, Fraction(1, 10))] == ["batch-mean:2", "batch-mean:4"]
    assert [each.denominator for each in alternatives(5, Fraction(1, 11))] == [6, 8, 10]


def test_coverage_derives_the_subset_and_who_does_not_fit() -> None:
    """52/610 and 52/123, 93/610 and 93/123; the retriever's 44 and 82 hits were averaged by batches of 16."""
    whole = [
        column("Ranker", 610, Recall5="0.0852", Recall10="0.1524"),
        column("Retriever", 610, Recall5="0.0705", Recall10="0.1426"),
        column("Other", 610, Recall5="0.0344"),
    ]
    part = [
        column("Ranker", table="3", Recall5="0.4227", Recall10="0.7560"),
        column("Retriever", table="3", Recall5="0.3544", Recall10="0.6654"),
        column("Other", table="3", Recall5="0.2845"),
        column("Odd", table="3", Recall5="0.2900"),
    ]
    first, second, third = coverage.check(published(*whole, *part))
    assert (first.strength, first.method, first.table) == ("inconsistent", "Retriever", "3")
    assert "Recall@10 0.1426/0.6654 needs at least 130.66, Recall@5 0.0705/0.3544 at most 121.54" in first.detail
    assert (
        "batch-mean:16 in both (1/624 and, of 123 users, 1/1408: 44 users hit at 5, 82 users hit at 10)" in first.detail
    )
    assert second.detail == "of the 610 users of table 1 it counts 123 (123 by Ranker)"
    assert (third.method, third.table, third.k) == ("Other", "1", 5)
    assert "0.0344 over 610 users is below 0.2845 * 123/610 = 0.057366" in third.detail
    derived = coverage.with_derived_users(published(*whole, *part))
    source = "by coverage, if Ranker is exact, which Retriever cannot be"
    assert [(c.users, c.derived) for c in derived.columns] == [(610, "")] * 3 + [(123, source)] * 4
    (off, *_) = (found for found in grid.check(derived) if found.table == "3" and found.method == "Odd")
    assert (off.strength, off.k) == ("suspicious", 5)
    assert f"0.2900 is no multiple of 1/123 (123 users {source})" in off.detail


def test_contained_methods_share_one_coverage() -> None:
    """10 or, cut, 11 of 100 users are a fifth of 50 or 55; 20 or 21 are half of 40 or 42."""
    whole = [column("Ranker", 100, Recall5="0.10"), column("Retriever", 100, Recall5="0.20")]
    part = [column("Ranker", table="3", Recall5="0.200"), column("Retriever", table="3", Recall5="0.500")]
    (found,) = coverage.check(published(*whole, *part))
    assert (found.strength, found.method) == ("inconsistent", None)
    assert "50 or 55 by Ranker, 40 or 42 by Retriever" in found.detail


@pytest.mark.parametrize(("percent", "strength"), [("50.00", "note"), ("49.6", "note"), ("40.00", "inconsistent")])
def test_a_claimed_improvement_is_recomputed(percent: str, strength: str) -> None:
    """0.300 / 0.200 - 1 over the best of two; the digits leave 0.2995 / 0.201 to 0.301 / 0.1995."""
    claim = Improvement(kind="improvement", where="abstract", table="1", system="A", percent=percent)
    rows = (column("A", Recall5="0.300"), column("B", Recall5="0.200"), column("C", Recall5="0.100"))
    (found,) = arithmetic.check(published(*rows, claim=claim))
    assert found.strength == strength
    assert "the cells give 50.000 %, the mean of 50.00, and 49.00 to 50.88 %" in found.detail


def test_a_claim_is_held_against_its_cells() -> None:
    claim = Beats(kind="beats", where="abstract", table="1", system="A")
    rows = (
        column("A", Recall5="0.8693", MRR5="0.8643", NDCG5="0.8"),
        column("B", Recall5="0.8697", MRR5="0.8644", NDCG5="0.8"),
    )
    below, close, equal = claims.check(published(*rows, claim=claim))
    assert (below.strength, below.metric) == ("inconsistent", "Recall")
    assert (close.strength, close.metric) == ("note", "MRR")
    assert "0.8 is not above its 0.8" in equal.detail


def test_the_strongest_findings_come_first() -> None:
    found = audit(published(column("A", 610, Recall5="0.0544", Recall10="0.0301")))
    assert strengths(found) == sorted(strengths(found), key=["impossible", "inconsistent", "note"].index)
    assert found[0].strength == "impossible"


@pytest.mark.parametrize(("recall", "wrong"), [("0.25", 0), ("0.75", 0), ("0.40", 1), ("0.33", 1)])
def test_a_column_declared_to_hold_batch_means_is_held_against_them(recall: str, wrong: int) -> None:
    """Three users in batches of two: two weigh a quarter each and one a half, so that no third can be had."""
    declared = replace(column("A", 3, Recall1=recall), estimator="batch-mean:2")
    found = list(joint.check(published(declared)))
    assert [(f.strength, "of 3 users, by batch-mean:2, print" in f.detail) for f in found] == [
        ("inconsistent", True)
    ] * wrong


@pytest.mark.parametrize(("users", "tested"), [(100, 1), (50, 0), (None, 0)])
def test_a_claim_over_a_rival_with_other_users_has_no_p_value(users: int | None, tested: int) -> None:
    claim = Beats(kind="beats", where="text", table="1", system="A")
    own, rival = column("A", 100, Recall10="0.20"), column("B", users, Recall10="0.10")
    assert len(list(claims.check(published(own, rival, claim=claim)))) == tested
