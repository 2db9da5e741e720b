"""How hits may have been averaged into a Recall: which fractions an estimator can give at all."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor, gcd

import numpy as np
import numpy.typing as npt

from harness.audit.printed import Interval

LARGEST_BATCH = 1024
MOST_RUNS = 10
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimator:
    """A mean of hits: (full_weight * hits in full batches + short_weight * hits in the short one) / denominator.

    Attributes:
        name: as ``--estimator`` takes it, or ``mean of S runs``.
        full, short: how many users are in full batches, and in a short last one.
        full_weight, short_weight, denominator: what a hit counts, in lowest terms.
    """

    name: str
    full: int
    short: int
    full_weight: int
    short_weight: int
    denominator: int

    def gives(self, values: Interval) -> bool:
        """Whether any of the values can be its mean."""
        return bool(self._hits(values).size)

    def numerators(self, values: Interval) -> list[int]:
        """Those of the values that can be its mean, as multiples of 1/denominator."""
        full, short = self._hits(values)
        return sorted(set((full * self.full_weight + short * self.short_weight).tolist()))

    def totals(self, values: Interval) -> set[int]:
        """How many users may have been hit if its mean is among the values."""
        return set(self._hits(values).sum(axis=0).tolist())

    def share(self, width: Fraction) -> float:
        """At most this share of intervals so wide holds one of its means: the chance to fit by accident."""
        return min(1.0, self.denominator * float(width))

    def _hits(self, values: Interval) -> Integers:
        """All hits in full batches and in the short one that give one of the values, shape [2, solution]."""
        low, high = ceil(values.low * self.denominator), floor(values.high * self.denominator)
        short = np.arange(self.short + 1)
        rest = short * self.short_weight
        first = np.maximum(0, -((rest - low) // self.full_weight))
        counts = np.maximum(0, np.minimum(self.full, (high - rest) // self.full_weight) - first + 1)
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.stack([np.repeat(first, counts) + offset, np.repeat(short, counts)])


def exact(users: int) -> Estimator:
    """The mean over users."""
    return Estimator("exact", users, 0, 1, 0, users)


def batch_mean(users: int, size: int) -> Estimator:
    """The mean over consecutive batches of their means; exact where no last batch is short."""
    batches, last = -(-users // size), users % size
    if not last or batches == 1:
        return exact(users)
    divisor = gcd(size, last)
    weights = (last // divisor, size // divisor)
    return Estimator(f"batch-mean:{size}", (batches - 1) * size, last, *weights, size * last // divisor * batches)


def mean_of_runs(users: int, runs: int) -> Estimator:
    """The exact mean of several runs over the same users."""
    return Estimator(f"mean of {runs} runs", runs * users, 0, 1, 0, runs * users)


@cache
def alternatives(users: int, width: Fraction) -> tuple[Estimator, ...]:
    """Every other estimator of these users that does not give some mean in any interval so wide, the coarsest first.

    Tried are all batch sizes up to 1,024 and means of up to 10 runs.
    """
    sizes = range(2, min(users, LARGEST_BATCH + 1))
    tried = [batch_mean(users, size) for size in sizes] + [mean_of_runs(users, s) for s in range(2, MOST_RUNS + 1)]
    useful = {each for each in tried if each.name != "exact" and each.share(width) < 1}
    return tuple(sorted(useful, key=lambda each: (each.denominator, each.name)))
