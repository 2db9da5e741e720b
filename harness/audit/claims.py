"""Rule ``claims``: what a paper says beats what, held against its cells."""

from collections.abc import Iterator
from fractions import Fraction

from harness.audit.finding import Finding, Strength
from harness.audit.printed import either
from harness.audit.published import Column, Place, Published
from harness.papers.claims import Beats


def check(published: Published) -> Iterator[Finding]:
    """A finding for every cell that contradicts a claim."""
    for claim in published.claims:
        if isinstance(claim, Beats):
            for column, others in published.compared(claim):
                for other in others:
                    for place in column.numbers:
                        if place in other.numbers:
                            yield from _compare(published.paper, claim, column, other, place)


def _compare(paper: str, claim: Beats, column: Column, other: Column, place: Place) -> Iterator[Finding]:
    own, rival = column.numbers[place], other.numbers[place]
    if Fraction(own) > Fraction(rival):
        return
    certain = either(own).high < either(rival).low
    relation = "below" if certain else "not above"
    detail = f"claimed to beat {other.method} ({claim.where}), but {own} is {relation} its {rival}"
    strength: Strength = "inconsistent" if certain else "note"
    yield Finding("claims", strength, paper, column.table, column.dataset, column.method, place.metric, place.k, detail)
