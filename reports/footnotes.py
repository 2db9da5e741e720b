"""What the audit found, as footnotes at the published values concerned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from string import ascii_lowercase

from harness import audit
from harness.audit.finding import Finding
from harness.audit.published import of_paper
from harness.cell import Cell
from harness.papers import paper as papers

SHOWN = ("impossible", "inconsistent", "suspicious")


@dataclass(frozen=True)
class Footnotes:
    """Findings about one table, lettered."""

    findings: tuple[Finding, ...] = ()

    def mark(self, cell: Cell) -> str:
        """The letters of a cell's findings, e.g. ``(a, c)``, or nothing."""
        if not cell.printed:
            return ""
        letters = [_letter(place) for place, found in enumerate(self.findings) if _concerns(found, cell)]
        return f" ({', '.join(letters)})" if letters else ""

    def sentences(self) -> tuple[str, ...]:
        """One a finding."""
        return tuple(
            f"({_letter(place)}) {found.rule}, {found.strength}: {found.detail}."
            for place, found in enumerate(self.findings)
        )


def footnotes(paper: str, table: str) -> Footnotes:
    """The findings about a table's published numbers, notes left out."""
    return Footnotes(tuple(f for f in audited(paper) if f.table == table and f.strength in SHOWN))


@cache
def audited(paper: str) -> Sequence[Finding]:
    """Every finding about a paper's published numbers."""
    return audit.audit(of_paper(papers.load(paper)))


def _concerns(found: Finding, cell: Cell) -> bool:
    pairs = ((found.dataset, cell.dataset), (found.method, cell.system), (found.metric, cell.metric), (found.k, cell.k))
    return all(ours is None or ours == theirs for ours, theirs in pairs)


def _letter(place: int) -> str:
    """A to z, then aa, ab, ..."""
    first, last = divmod(place, len(ascii_lowercase))
    return (ascii_lowercase[first - 1] if first else "") + ascii_lowercase[last]
