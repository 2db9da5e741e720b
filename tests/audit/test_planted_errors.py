"""One error planted into an honest table is found wherever the digits can show it.

What the digits can show is worked out here by other means than the rules': by trying every number of hits or users.
"""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest

from harness.audit import arithmetic, audit, claims, coverage, grid, joint, order
from harness.audit.feasibility import fit_shares
from harness.audit.finding import Finding
from harness.audit.published import Column, Published
from harness.metrics import Place
from harness.papers.claims import Beats, Improvement
from tests.audit.honest import Style, columns, draw, draw_ranks, reach, rerank

TABLES = int(os.environ.get("LLMREC_AUDIT_TABLES", "300"))
LAW = ("MRR", "NDCG", "Recall")
Planted = tuple[Published, Callable[[Finding], bool]]


def with_number(published: Published, column: Column, place: Place, text: str) -> Published:
    """The same paper with another number in one cell."""
    changed = replace(column, numbers=column.numbers | {place: text})
    return replace(published, columns=tuple(changed if each is column else each for each in published.columns))


def some_digits(rng: np.random.Generator, text: str, low: float = 0.0) -> str:
    digits = len(text.partition(".")[2])
    return f"{rng.uniform(low, 1):.{digits}f}"


def plant_order(rng: np.random.Generator) -> Planted | None:
    """Shown where a number is above one that it may not exceed, by more than rounding or cutting either explains."""
    published, _, _ = draw(rng)
    column = published.columns[rng.integers(len(published.columns))]
    pairs = [
        (a, b)
        for a in column.numbers
        for b in column.numbers
        if a != b and a.k <= b.k and LAW.index(a.metric) <= LAW.index(b.metric)
    ]
    if not pairs:
        return None
    a, b = pairs[rng.integers(len(pairs))]
    text = some_digits(rng, column.numbers[a], low=float(column.numbers[b]) * 0.99)
    if reach(text)[0] <= reach(column.numbers[b])[1] or Fraction(text) > 1:
        return None
    return with_number(published, column, a, text), lambda f: (f.rule, f.strength) == ("order", "impossible")


def plant_grid(rng: np.random.Generator) -> Planted | None:
    """Shown where none of 0, 1, ..., n hits gives the digits, rounded or cut."""
    published, _, _ = draw(rng)
    column = published.columns[rng.integers(len(published.columns))]
    places = [place for place in column.numbers if place.metric == "Recall"]
    if not (places and column.users):
        return None
    place = places[rng.integers(len(places))]
    text = some_digits(rng, column.numbers[place])
    low, high = reach(text)
    if any(low <= Fraction(count, column.users) <= high for count in range(column.users + 1)):
        return None
    there = ("grid", "inconsistent", column.method, place.k)
    return with_number(published, column, place, text), lambda f: (f.rule, f.strength, f.method, f.k) == there


def plant_coverage(rng: np.random.Generator) -> Planted | None:
    """The subset's numbers of one contained system are from other lists than its whole ones.

    Shown where no one number of users gives, for both contained systems, all numbers of both tables, the Recalls from
    the same whole number of hits.
    """
    published, ranks, style = draw(rng)
    if not published.subsets or not published.columns[0].users:
        return None
    subset, users = published.subsets[0], published.columns[0].users
    inside = ranks["Retriever"] <= subset.among
    ranks |= {"Ranker": rerank(rng, draw_ranks(rng, users), subset.among)}
    places = list(published.columns[0].numbers)
    (other,) = columns("3", None, {"Ranker": ranks["Ranker"][inside]}, places, style)
    changed = tuple(other if (c.table, c.method) == ("3", "Ranker") else c for c in published.columns)
    published = replace(published, columns=changed)
    if any(is_covered(published, users, size) for size in range(1, users + 1)):
        return None
    return published, lambda f: (f.rule, f.strength) == ("coverage", "inconsistent")


def is_covered(published: Published, users: int, size: int) -> bool:
    for method in published.subsets[0].contained:
        whole, part = published.column("1", "Set", method), published.column("3", "Set", method)
        assert whole
        assert part
        for place, text in whole.numbers.items():
            if place.k > published.subsets[0].among:
                continue
            a, b = reach(text), reach(part.numbers[place])
            low, high = max(a[0] * users, b[0] * size), min(a[1] * users, b[1] * size)
            if low > high or (place.metric == "Recall" and not -(-low // 1) <= high):
                return False
    return True


def plant_arithmetic(rng: np.random.Generator) -> Planted | None:
    """Shown where the claim is beyond what the lowest own with the highest other numbers give, or the reverse."""
    published, _, _ = draw(rng)
    own, *others = [column for column in published.columns if column.table == "1"]
    percent = f"{rng.gamma(1, 20):.2f}"
    ends = []
    for mine, theirs in ((0, 1), (1, 0)):
        best = [max(reach(other.numbers[place])[theirs] for other in others) for place in own.numbers]
        gains = [reach(text)[mine] / b - 1 for text, b in zip(own.numbers.values(), best, strict=True) if b > 0]
        ends.append(100 * sum(gains) / max(len(gains), 1))
    zero = any(max(reach(other.numbers[place])[0] for other in others) <= 0 for place in own.numbers)
    if zero or (reach(percent)[0] <= ends[1] and ends[0] <= reach(percent)[1]):
        return None
    claim = Improvement(kind="improvement", where="text", table="1", system=own.method, percent=percent)
    return replace(published, claims=(claim,)), lambda f: (f.rule, f.strength) == ("arithmetic", "inconsistent")


def plant_claim(rng: np.random.Generator) -> Planted | None:
    """Shown where the claimed winner's number is below the loser's by more than the digits leave open."""
    published, _, _ = draw(rng)
    a, b = (published.columns[i] for i in rng.permutation(2))
    if not any(reach(text)[1] < reach(b.numbers[place])[0] for place, text in a.numbers.items()):
        return None
    claim = Beats(kind="beats", where="text", table="1", system=a.method, over=(b.method,))
    return replace(published, claims=(claim,)), lambda f: (f.rule, f.strength) == ("claims", "inconsistent")


def plant_joint(rng: np.random.Generator) -> Planted | None:
    """Shown where a metric is less than Recall gives it with every hit at rank k, or more than with every hit at 1."""
    published, _, _ = draw(rng)
    column = published.columns[rng.integers(len(published.columns))]
    places = [p for p in column.numbers if p.metric != "Recall" and Place("Recall", p.k) in column.numbers]
    if not places:
        return None
    place = places[rng.integers(len(places))]
    recall = reach(column.numbers[Place("Recall", place.k)])
    text = some_digits(rng, column.numbers[place])
    worst = Fraction(1 / place.k if place.metric == "MRR" else 1 / math.log2(place.k + 1))
    if reach(text)[1] >= recall[0] * worst and reach(text)[0] <= recall[1]:
        return None
    return with_number(published, column, place, text), lambda f: (f.rule, f.strength) == ("joint", "impossible")


def plant_joint_of_few(rng: np.random.Generator) -> Planted | None:
    """Shown where none of all ranks of a dozen users gives Recall@3 and MRR@3, though shares of users do."""
    users, style = int(rng.integers(5, 13)), Style(4, bool(rng.integers(2)), False)
    hit = int(rng.integers(1, users + 1))
    numbers = {
        Place("Recall", 3): style.prints(hit / users),
        Place("MRR", 3): f"{rng.uniform(hit / users / 3, hit / users):.4f}",
    }
    every = [(a, b, c) for a in range(users + 1) for b in range(users + 1 - a) for c in range(users + 1 - a - b)]
    means = [(Fraction(a + b + c, users), Fraction(6 * a + 3 * b + 2 * c, 6 * users)) for a, b, c in every]
    within = [reach(printed) for printed in numbers.values()]
    if any(all(low <= mean <= high for mean, (low, high) in zip(pair, within, strict=True)) for pair in means):
        return None
    few = Column("1", "Set", "Few", users, numbers)
    assert fit_shares(few.numbers).feasible
    return Published("made-up", (few,)), lambda f: (f.rule, f.strength) == ("joint", "inconsistent")


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (plant_order, order),
        (plant_grid, grid),
        (plant_joint, joint),
        (plant_joint_of_few, joint),
        (plant_coverage, coverage),
        (plant_arithmetic, arithmetic),
        (plant_claim, claims),
    ],
)
def test_a_planted_error_is_found(plant: Callable[[np.random.Generator], Planted | None], rule: ModuleType) -> None:
    planted = [each for seed in range(TABLES // 5) if (each := plant(np.random.default_rng(seed)))]
    found = [any(map(told, rule.check(coverage.with_derived_users(published)))) for published, told in planted]
    print(f"{plant.__name__}: {sum(found)} of {len(found)} found")
    assert len(found) >= TABLES // 50
    assert sum(found) >= 0.99 * len(found)


def test_the_estimator_of_a_batch_mean_is_named() -> None:
    """610 users in batches of 16, cut to four digits: the last batch's 2 users weigh eight times as much."""
    rng, style = np.random.default_rng(1), Style(4, True, False)
    places = [Place("Recall", 5), Place("Recall", 10)]
    averaged = []
    for name in ("A", "B", "C"):
        ranks = rng.integers(1, 60, 610)
        batches = [ranks[start : start + 16] for start in range(0, 610, 16)]
        means = {
            place: style.prints(float(np.mean([style.mean(batch, place) for batch in batches]))) for place in places
        }
        averaged.append(Column("1", "Set", name, 610, means))
    found = audit(Published("made-up", tuple(averaged)))
    inconsistent = [f.detail for f in found if f.strength == "inconsistent"]
    assert inconsistent
    assert all("(batch-mean:16)" in detail for detail in inconsistent)
    assert any("39 batches for 610 users, the last of 2" in f.detail for f in found)
