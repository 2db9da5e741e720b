"""A plain table of texts, which every format prints in its own way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class _OfTable(Protocol):
    """A row that says which table it belongs to."""

    @property
    def table(self) -> str:
        """Its table's number."""
        ...


Row = TypeVar("Row", bound=_OfTable)


@dataclass(frozen=True)
class Listing:
    """A table without a grid of cells.

    Attributes:
        title: over it.
        caption: what it shows.
        headings: of the columns.
        rows: as many texts each.
    """

    title: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def by_table(rows: Sequence[Row], listing: Callable[[str, list[Row]], Listing]) -> list[Listing]:
    """What ``listing`` makes of the rows of each table, in the order in which the tables come."""
    return [
        listing(table, [row for row in rows if row.table == table]) for table in dict.fromkeys(r.table for r in rows)
    ]
