"""Printed cells as linear constraints on ranks, and bounds from multipliers, in exact arithmetic.

A cell is the mean of a function of the target's rank: linear in how often each rank occurs. So what cells allow is a
linear programme, and by weak duality any multipliers whatever, however a solver came by them, bound it; here the bound
is computed with fractions, so it is proven whatever the solver's tolerances are.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.audit.printed import Interval
from harness.metrics import METRICS, Place

Cells = Mapping[Place, str]
"""The digits printed."""
Floats = npt.NDArray[np.float64]
Fractions = npt.NDArray[np.object_]

RESOLUTION = 2**40
"""Multipliers are kept to 1/RESOLUTION, which keeps their fractions short."""


def deepest(*columns: Cells) -> int:
    """The largest cut-off in any of the columns."""
    return max(k for cells in columns for _, k in cells)


def rank_values(cells: Cells, ranks: int) -> Floats:
    """What a query with its target at rank 1, 2, ... adds to each cell, shape [cell, rank]."""
    rank = np.arange(1, ranks + 1)
    return np.stack([METRICS[metric](rank, k) for metric, k in cells])


def fractions(values: npt.ArrayLike) -> Fractions:
    """The same array with every number as the fraction that it is."""
    fractions: Fractions = np.vectorize(Fraction, otypes=[object])(values)
    return fractions


def multipliers(marginals: Floats, cells: int) -> Fractions:
    """One signed multiplier a cell: above 0 where its lower end binds, below 0 where its upper end does.

    Args:
        marginals: a solver's, of the rows ``mean <= high`` and then ``-mean <= -low`` (its last two blocks of rows).
        cells: how many cells there are.
    """
    signed = marginals[:cells] - marginals[cells : 2 * cells]
    return fractions(np.round(signed * RESOLUTION) / RESOLUTION)


def least(weights: Fractions, within: Sequence[Interval]) -> Fraction:
    """The least that the cells' sum, so weighted, can be while each lies in its interval."""
    pairs: list[tuple[Any, Interval]] = list(zip(weights, within, strict=True))
    return sum((weight * (cell.low if weight > 0 else cell.high) for weight, cell in pairs), Fraction())
