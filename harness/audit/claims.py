"""Rule ``claims``: what a paper says beats what, held against its cells and against what p-values they allow."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from harness.audit.allowed import allowed
from harness.audit.finding import Finding, Strength
from harness.audit.printed import either
from harness.audit.published import Column, Published, best
from harness.audit.pvalues import Overlap, Spread
from harness.metrics import Place
from harness.paired.pvalue import as_text
from harness.papers.claims import Beats

NO_OUTCOMES = "no outcomes have both columns, so there is no p-value"


def check(published: Published) -> Iterator[Finding]:
    """For every cell of a claim: those that contradict it, or else the p-values against the best of the others."""
    for claim, column, rivals, place in published.contested():
        yield from _check_cell(published.paper, claim, column, rivals, place)


def _check_cell(paper: str, claim: Beats, column: Column, rivals: Sequence[Column], place: Place) -> Iterator[Finding]:
    own = column.numbers[place]
    where = (paper, *column.where, place.metric, place.k)
    above = [rival for rival in rivals if Fraction(rival.numbers[place]) >= Fraction(own)]
    for rival in above:
        other = rival.numbers[place]
        certain = either(own).high < either(other).low
        relation = "below" if certain else "not above"
        strength: Strength = "inconsistent" if certain else "note"
        detail = f"claimed to beat {rival.method} ({claim.where}), but {own} is {relation} its {other}"
        yield Finding("claims", strength, *where, detail)
    strongest = best(rivals, place)
    if not above and column.users and strongest.users == column.users:
        yield Finding("claims", "note", *where, _significance(column, strongest, place, claim.where))


def _significance(column: Column, rival: Column, place: Place, where: str) -> str:
    """What the cells alone say of the test of a claimed difference."""
    compared = (
        f"claimed to beat the best of the others, {rival.method} ({where}): {column.numbers[place]} against "
        f"{rival.numbers[place]} over {column.users} users"
    )
    if inexact := [f"{each.method} {each.estimator}" for each in (column, rival) if each.estimator != "exact"]:
        compared += f", {' and '.join(inexact)}"
    found = allowed(column, rival, place)
    if not found:
        why = "there are no bounds of p for batch means" if inexact and place.metric != "Recall" else NO_OUTCOMES
        return f"{compared}: {why}"
    test = "p of McNemar's exact test" if found.exact else "p of a paired t test within proven bounds,"
    low = f"{as_text(found.p_low)} ({_case(found.at_low)})"
    high = f"{as_text(found.p_high)} ({_case(found.at_high)})"
    return f"{compared}: {test} {low} to {high}: {found.decision}"


def _case(end: Overlap | Spread) -> str:
    """The outcomes behind an end of the range."""
    if isinstance(end, Overlap):
        return f"{end.hits_a} and {end.hits_b} hits, {end.both} shared"
    return f"difference {end.difference:.5f}, standard deviation {end.deviation:.4f}"
