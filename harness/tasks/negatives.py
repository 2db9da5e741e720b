"""The items that stand beside the target in the candidates task: drawn over the catalogue, or matched in popularity."""

import numpy as np

from harness.data.dataset import Ids, Sequences
from harness.seeds import rng


def uniform(target: int, n_items: int, count: int, random: np.random.Generator) -> Ids:
    """``count`` different items, uniform over the catalogue without the target; the history is not left out.

    So LLM-TRSR draws them (Zheng et al., WWW 2024, section 4.1; their code).
    """
    drawn = random.choice(n_items - 1, size=count, replace=False) + 1
    return (drawn + (drawn >= target)).astype(np.int32)


def by_popularity(train: Sequences, n_items: int, seed: int) -> Ids:
    """All items, those with the fewest training interactions first, ties as ``rng(seed, "popularity ties")`` has them.

    Returns:
        Item ids, shape [item].
    """
    counts = np.bincount(train.items, minlength=n_items + 1)[1:]
    ties = rng(seed, "popularity ties").random(n_items)
    return (np.lexsort((ties, counts)) + 1).astype(np.int32)


def matched(target: int, ranked: Ids, count: int, random: np.random.Generator) -> Ids:
    """The other items of a stretch of ``count`` + 1 neighbours by popularity that holds the target.

    The target's place in the stretch is uniform, so popularity by itself ranks it by chance, where ties are counted as
    chance would have them (``tie-mean``): most of such neighbours tie. At either end of the
    ranking the stretch is moved inwards: for the most popular item no ``count`` others are as popular, and it gets the
    next ones.

    Args:
        target: the item to match.
        ranked: all items by popularity, shape [item].
        count: how many negatives.
        random: draws the place.
    """
    place = int(np.flatnonzero(ranked == target)[0])
    start = min(max(place - int(random.integers(count + 1)), 0), len(ranked) - count - 1)
    return np.delete(ranked[start : start + count + 1], place - start)
