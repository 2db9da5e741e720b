"""What the pictures have in common."""

from typing import Literal

from matplotlib.axes import Axes

from harness.cell import Cell

BLUE, ORANGE = "#1f5fa8", "#c2410c"  # what was reproduced, or is the paper's own, and its rival
OTHERS = ("#2e7d32", "#6a1b9a", "#8a6d00", "#00838f", "#ad1457", "#555555", "#3f51b5", "#795548", "#9e9d24")
PALETTE = (BLUE, ORANGE, *OTHERS)


def plain(panel: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """A faint grid, and no frame above and to the right."""
    panel.grid(axis=axis, alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)


def reach(cell: Cell) -> tuple[float, float]:
    """How far a cell's interval reaches below and above its mean; 0 where it lies beside it, or was not run."""
    mean = cell.mean or 0.0
    return max(0.0, mean - (cell.low or 0.0)), max(0.0, (cell.high or 0.0) - mean)
