"""Rule ``arithmetic``: claimed average improvements, recomputed from the cells and from all they stand for."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from harness.audit.finding import Finding
from harness.audit.printed import Interval, either
from harness.audit.published import Column, Published
from harness.metrics import Place
from harness.papers.claims import Improvement


def check(published: Published) -> Iterator[Finding]:
    """A finding for every claimed improvement: whether the cells can give it."""
    for claim in published.claims:
        if isinstance(claim, Improvement):
            for column, others in published.compared(claim):
                yield _check_claim(published.paper, claim, column, others)


def _check_claim(paper: str, claim: Improvement, column: Column, others: Sequence[Column]) -> Finding:
    where = (paper, *column.where, None, None)
    gains = []
    for place, printed in column.numbers.items():
        best = max((other.numbers[place] for other in others if place in other.numbers), key=Fraction, default=None)
        if best is None or either(best).low <= 0:
            return Finding("arithmetic", "note", *where, f"{place} of the others is absent or 0: no ratio")
        gains.append(Fraction(printed) / Fraction(best) - 1)
    bounds = [_gain(place, column, others) for place in column.numbers]
    low, high = (100 * sum(ends, Fraction()) / len(bounds) for ends in zip(*bounds, strict=True))
    each = ", ".join(f"{100 * float(gain):.2f}" for gain in gains)
    recomputed = (
        f"claimed {claim.percent} % over the best of the others ({claim.where}); the cells give "
        f"{100 * float(sum(gains)) / len(gains):.3f} %, the mean of {each}, "
        f"and {float(low):.2f} to {float(high):.2f} % by all that the digits stand for"
    )
    stated = either(claim.percent)
    possible = stated.low <= high and low <= stated.high
    return Finding("arithmetic", "note" if possible else "inconsistent", *where, recomputed)


def _gain(place: Place, column: Column, others: Sequence[Column]) -> Interval:
    """The relative improvement over the best of the others, by all values that the digits stand for."""
    own = either(column.numbers[place])
    rivals = [either(other.numbers[place]) for other in others if place in other.numbers]
    return Interval(own.low / max(r.high for r in rivals) - 1, own.high / max(r.low for r in rivals) - 1)
