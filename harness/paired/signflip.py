"""Paired randomisation: had each query's two answers been swapped by a coin, how often would the means differ so much?

Fisher's test of paired differences (Fisher 1935, section 21; Smucker, Allan and Carterette, CIKM 2007), over a sample
of all 2^n assignments, the observed one counted among them (Phipson and Smyth 2010), so that p is never 0.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from harness.errors import InputError
from harness.paired.differences import Differences, Floats
from harness.paired.power import ALPHA
from harness.seeds import rng

PERMUTATIONS = 100_000
CHUNK_WORDS = 2**19  # random words in memory at a time, 4 MiB
WORD = 64
ROUNDING = 1e-9  # of the largest value; sums that are equal on paper must count as equal


def check_permutations(permutations: int, family: int) -> None:
    """Refuse a sample in which not even the smallest p could survive Holm's correction.

    Raises:
        InputError: 1 / (permutations + 1) times the family's size is above the level.
    """
    needed = int(np.ceil(family / ALPHA)) - 1
    if permutations < needed:
        raise InputError(f"{permutations} permutations: a family of {family} tests needs {needed} or more")


def sign_flip(differences: Differences, permutations: int, seed: int, name: str) -> tuple[Floats, Floats]:
    """p-values of the mean difference and of Wilcoxon's signed ranks, two-sided, from the same permutations.

    Every query's coin is one random bit. Queries with the same differences, up to their sign, stand in one word of
    bits, so that a permutation costs a count of set bits a word instead of a sum over queries.

    Args:
        differences: of M metrics.
        permutations: how many to draw.
        seed: of the run that asks.
        name: of the pair; the draws depend on seed and name alone.

    Returns:
        p of the means and of the signed ranks, each of shape [M]; 1 where all differences are 0.
    """
    heads, tails, value = _unordered(differences)
    statistics = np.concatenate([value, _signed_ranks(value, heads + tails)], 1)  # [G, 2M]
    observed = np.abs((heads - tails) @ statistics)
    observed -= ROUNDING * np.abs(statistics).max(0, initial=0)
    size = heads + tails
    words = -(-size // WORD)
    group = np.repeat(np.arange(len(size)), words)
    last = np.cumsum(words) - 1
    mask = np.full(len(group), np.iinfo(np.uint64).max, dtype=np.uint64)
    mask[last] >>= ((WORD - size % WORD) % WORD).astype(np.uint64)
    offset = size @ statistics
    at_least = np.zeros(statistics.shape[1], dtype=np.int64)
    step = max(1, CHUNK_WORDS // max(1, len(group)))
    for chunk, start in enumerate(range(0, permutations, step)):
        rows = min(step, permutations - start)
        bits = rng(seed, "sign-flip", name, chunk).integers(0, 2**64, (rows, len(group)), np.uint64, endpoint=False)
        bits &= mask
        flipped = np.bitwise_count(bits).astype(np.float64) @ statistics[group]
        at_least += (np.abs(2 * flipped - offset) >= observed).sum(0)
    p = (1 + at_least) / (permutations + 1)
    return p[: value.shape[1]], p[value.shape[1] :]


def _unordered(differences: Differences) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Groups up to their sign: how many queries have the value, how many its negative, and the value, [G, M]."""
    value = differences.value
    leading = np.take_along_axis(value, (value != 0).argmax(1)[:, None], 1)
    sign = np.sign(leading)
    merged, where = np.unique(value * sign, axis=0, return_inverse=True)
    where, sign = where.ravel(), sign.ravel()
    heads = np.bincount(where, differences.count * (sign > 0), len(merged)).astype(np.int64)
    tails = np.bincount(where, differences.count * (sign < 0), len(merged)).astype(np.int64)
    some = heads + tails > 0
    return heads[some], tails[some], merged[some]


def _signed_ranks(value: Floats, size: npt.NDArray[np.int64]) -> Floats:
    """Mid-ranks of the absolute values, signed; zeros are left out (Wilcoxon 1945): shape [G, M]."""
    ranks = np.zeros_like(value)
    for column, own in zip(ranks.T, value.T, strict=True):
        magnitude = np.repeat(np.round(np.abs(own), 12), size)
        expanded = np.zeros(len(magnitude))
        expanded[magnitude > 0] = rankdata(magnitude[magnitude > 0])
        column[:] = np.sign(own) * expanded[np.cumsum(size) - 1] if len(size) else 0
    return ranks
