"""Rule ``order``: with one target a user, metrics rise with k, and MRR@k <= NDCG@k <= Recall@k, for any weights."""

from collections.abc import Iterator
from fractions import Fraction

from harness.audit.finding import Finding
from harness.audit.printed import either
from harness.audit.published import Column, Published
from harness.metrics import Place

METRICS = ("MRR", "NDCG", "Recall")


def check(published: Published) -> Iterator[Finding]:
    """A finding for every two cells of a column that stand in the wrong order by more than their digits allow."""
    for column in published.columns:
        wrong = {(a, b) for a in column.numbers for b in column.numbers if _below(a, b) and _inverted(column, a, b)}
        for a, b in sorted(wrong, key=str):
            if not any((a, c) in wrong or (c, b) in wrong for c in column.numbers if _below(a, c) and _below(c, b)):
                yield _finding(published.paper, column, a, b)


def _below(a: Place, b: Place) -> bool:
    """Whether no ranks give more at a than at b."""
    return a != b and a.k <= b.k and METRICS.index(a.metric) <= METRICS.index(b.metric)


def _inverted(column: Column, a: Place, b: Place) -> bool:
    return either(column.numbers[a]).low > either(column.numbers[b]).high


def _finding(paper: str, column: Column, a: Place, b: Place) -> Finding:
    small, large = column.numbers[b], column.numbers[a]
    law = f"{a.metric} cannot fall as k rises" if a.metric == b.metric else f"no target's {a} is above its {b}"
    twins = [str(place) for place, number in column.numbers.items() if place != b and number == small]
    same = f"; the same digits stand at {' and '.join(twins)}" if twins else ""
    detail = f"{b} {small} is below {a} {large} by {float(Fraction(large) - Fraction(small)):.6g}: {law}{same}"
    return Finding("order", "impossible", paper, *column.where, b.metric, b.k, detail)
