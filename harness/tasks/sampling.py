"""A part of the validation queries, where all of them would cost too much."""

import numpy as np
import numpy.typing as npt

from harness.seeds import rng


def at_most(queries: npt.NDArray[np.int64], limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """The queries, or ``limit`` of them drawn by ``rng(seed, "validation users")``, in ascending order."""
    if limit is None or limit >= len(queries):
        return queries
    return np.sort(rng(seed, "validation users").permutation(queries)[:limit])
