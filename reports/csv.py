"""Cells as a CSV file, one a line."""

import csv
from collections.abc import Sequence
from io import StringIO

from harness.cells import Cell
from harness.significance import CellTest


def render(cells: Sequence[Cell]) -> str:
    """A heading with the cell's keys, then one line a cell; a list's members are parted by spaces.

    The test against the paper's own system has columns of its own, ``own_less_this`` being the difference.
    """
    text = StringIO()
    keys = [key for key in Cell.model_fields if key != "test"]
    writer = csv.DictWriter(text, [*keys, *_test(None)], lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        values = cell.model_dump(exclude={"test"})
        flat = {key: " ".join(value) if isinstance(value, tuple) else value for key, value in values.items()}
        writer.writerow(flat | _test(cell.test))
    return text.getvalue()


def _test(test: CellTest | None) -> dict[str, float | int | None]:
    row = test.comparison if test else None
    return {
        "own_less_this": row.difference if row else None,
        "p": row.p_deciding if row else None,
        "p_holm": row.p_holm if row else None,
        "family": row.family if row else None,
        "mde_80": row.mde_80 if row else None,
        "published_difference": test.published_difference if test else None,
        "published_power": test.published_power if test else None,
        "published_n_needed": test.published_n_needed if test else None,
    }
