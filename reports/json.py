"""Cells, claims and findings as JSON documents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.cell import Cell


def render(cells: Sequence[Cell]) -> str:
    """A list with one object a cell."""
    return document([cell.model_dump(mode="json") for cell in cells])


def document(rows: Sequence[Mapping[str, Any]]) -> str:
    """A list with one object a row."""
    return json.dumps(rows, indent=2, allow_nan=False) + "\n"
