"""Cells as a CSV file, one a line."""

import csv
from collections.abc import Sequence
from io import StringIO

from harness.cells import Cell


def render(cells: Sequence[Cell]) -> str:
    """A heading with the cell's keys, then one line a cell; a list's members are parted by spaces."""
    text = StringIO()
    writer = csv.DictWriter(text, list(Cell.model_fields), lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        values = cell.model_dump()
        writer.writerow({key: " ".join(value) if isinstance(value, tuple) else value for key, value in values.items()})
    return text.getvalue()
