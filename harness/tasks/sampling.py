"""A part of the queries, where all of them would cost too much."""

import numpy as np
import numpy.typing as npt

from harness.seeds import rng


def at_most(queries: npt.NDArray[np.int64], limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """The queries, or ``limit`` of them drawn by ``rng(seed, "validation users")``, in ascending order."""
    if limit is None or limit >= len(queries):
        return queries
    return np.sort(rng(seed, "validation users").permutation(queries)[:limit])


def spread(count: int, limit: int | None) -> npt.NDArray[np.int64]:
    """Places of all queries, or of ``limit`` of them at equal distances: the same whatever the seed, shape [place].

    So the runs of several seeds are asked about the same users, which a comparison of systems pairs.
    """
    if limit is None or limit >= count:
        return np.arange(count)
    return np.arange(limit) * count // limit
