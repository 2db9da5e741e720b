"""Cells, claims and findings as CSV files."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from harness.cell import Cell
from harness.significance import CellTest


def render(cells: Sequence[Cell]) -> str:
    """A heading with the cell's keys, then one line a cell.

    The test against the paper's own system has columns of its own, ``own_less_this`` being the difference.
    """
    return lines([cell.model_dump(exclude={"test"}) | _test(cell.test) for cell in cells])


def lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """A heading with all the rows' keys, then one line a row; a list's members are parted by spaces."""
    text = StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: " ".join(value) if isinstance(value, tuple) else value for key, value in row.items()})
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
