"""The filter that LlamaRec and most sequential recommendation papers apply before the split."""

import polars as pl


def iterated_core(interactions: pl.DataFrame, minimum: int = 5) -> pl.DataFrame:
    """Drop users and items with fewer than ``minimum`` interactions, again and again until none is left.

    What remains is the largest set of rows in which every user and item has at least ``minimum``; it does
    not depend on the order of dropping. Repeated (user, item) pairs count as often as they stand
    (LlamaRec, section 4.0.2, and its authors' code).

    Args:
        interactions: has columns ``user`` and ``item``.
        minimum: the fewest interactions a user or item may have.
    """
    enough = (pl.len().over("user") >= minimum) & (pl.len().over("item") >= minimum)
    while len(kept := interactions.filter(enough)) < len(interactions):
        interactions = kept
    return interactions
