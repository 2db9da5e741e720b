"""Which estimators of two tables give the same users hit, where the second counts only users that hold all the hits."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from harness.audit.estimators import LARGEST_BATCH, Estimator, batch_mean, exact
from harness.audit.explain import ACCIDENT, NAMED
from harness.audit.finding import spell
from harness.audit.printed import either
from harness.audit.published import Column

MOST_SIZES = 30


class Candidate(NamedTuple):
    """Estimators of the two tables, and how many users are in the subset."""

    size: int
    whole: Estimator
    part: Estimator

    @property
    def denominator(self) -> int:
        """How fine the two grids are together."""
        return self.whole.denominator * self.part.denominator

    def hits(self, whole: Column, part: Column) -> dict[int, set[int]]:
        """Cut-off -> how many users may have been hit, by both columns."""
        found = {}
        for k in whole.recalls().keys() & part.recalls().keys():
            over_all, over_part = either(whole.recalls()[k]), either(part.recalls()[k])
            found[k] = self.whole.totals(over_all) & self.part.totals(over_part)
            if not found[k]:
                break
        return found

    def describe(self, whole: Column, part: Column) -> str:
        """Its name, its fractions, and the hits that both columns then mean."""
        same = self.whole.name == self.part.name
        names = f"{self.whole.name} in both" if same else f"{self.whole.name} over all, {self.part.name} over the part"
        hits = self.hits(whole, part)
        counts = ", ".join(f"{spell(sorted(hits[k]))} users hit at {k}" for k in sorted(hits))
        return f"{names} (1/{self.whole.denominator} and, of {self.size} users, 1/{self.part.denominator}: {counts})"


def explained(whole: Column, part: Column, users: int, sizes: Sequence[int]) -> str:
    """A sentence on the estimators that give the Recalls of both columns.

    Args:
        whole: over all users.
        part: over a subset that holds every user who was hit.
        users: how many users there are.
        sizes: how many the subset may have.
    """
    if not whole.recalls().keys() & part.recalls().keys():
        return "no Recall stands in both tables to try others on"
    if len(sizes) > MOST_SIZES:
        return f"not tried, as the subset may have {len(sizes)} sizes"
    tried = [candidate for size in sizes for candidate in _candidates(users, size)]
    fitting = sorted((c for c in tried if all(c.hits(whole, part).values())), key=lambda c: c.denominator)
    sentence = f"{len(fitting)} of {len(tried)} pairs of estimators tried give the Recalls of both from the same hits"
    if not fitting:
        return sentence
    if len(fitting) > ACCIDENT * len(tried):
        return f"{sentence}, too many to tell which"
    return f"{sentence}, the coarsest first: {'; '.join(c.describe(whole, part) for c in fitting[:NAMED])}"


def _candidates(users: int, size: int) -> Iterator[Candidate]:
    """Batches of one size in both tables, or in one of them; but for exact means in both."""
    pairs: set[tuple[Estimator, Estimator]] = set()
    for batch in range(2, min(users, LARGEST_BATCH + 1)):
        pairs |= set(product((batch_mean(users, batch), exact(users)), (batch_mean(size, batch), exact(size))))
    return (Candidate(size, *pair) for pair in pairs - {(exact(users), exact(size))})
