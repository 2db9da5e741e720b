"""Correction for many tests."""

import numpy as np
import numpy.typing as npt


def holm(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """p-values adjusted over the family that they form, so that the chance of any false finding is held (Holm 1979).

    Args:
        p: of the family's tests, shape [test].

    Returns:
        Shape [test], in the same order, never above 1.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    adjusted = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    found = np.empty_like(values)
    found[order] = np.minimum(adjusted, 1)
    return found
