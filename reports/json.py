"""Cells as a JSON document."""

import json
from collections.abc import Sequence

from harness.cells import Cell


def render(cells: Sequence[Cell]) -> str:
    """A list with one object a cell."""
    return json.dumps([cell.model_dump(mode="json") for cell in cells], indent=2, allow_nan=False) + "\n"
