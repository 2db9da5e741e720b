"""A plain table of texts, which every format prints in its own way."""

from dataclasses import dataclass


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
