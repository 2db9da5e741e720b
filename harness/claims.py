"""What a paper claims, held against its own printed cells and against the runs that are there."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from harness.audit.allowed import allowed
from harness.audit.published import best, of_paper
from harness.audit.pvalues import PRange
from harness.cell import Cell
from harness.config import Strict
from harness.paired.power import POWER
from harness.papers.paper import Paper
from harness.significance import CellTest
from harness.verdict import Verdict

Judgement = Literal["supported", "not supported", "reversed", "undecidable", "not tested", "not run"]


class ClaimRow(Strict):
    """One metric of a claim that a system is better, against the best of the others as printed.

    Attributes:
        where: where in the paper it is made.
        published_difference: as printed.
        p_low, p_high: what any outcomes with these cells could give (``harness.audit.allowed``), 0 being less than a
            float can hold; None where there are no bounds.
        printed: what the cells alone decide.
        difference, p, p_holm: of the runs here (``harness.significance``).
        mde_80: the smallest difference that these users show with 80 % power, at the variance here.
        power: the chance that these users find a true difference of the published size.
        n_needed: the users that it would need for 80 %.
        here: what the runs decide: ``undecidable`` where nothing is significant and the power is below 80 %; ``not
            tested`` where both were run but no test of the table is of these two.
        verdict: of the runs' own cell, which says whether they can stand for the paper's at all.
    """

    paper: str
    where: str
    table: str
    dataset: str
    system: str
    rival: str
    metric: str
    published_difference: float
    p_low: float | None
    p_high: float | None
    printed: Judgement
    difference: float | None = None
    p: float | None = None
    p_holm: float | None = None
    mde_80: float | None = None
    power: float | None = None
    n_needed: int | None = None
    here: Judgement = "not run"
    verdict: Verdict = "not run"


def claims(paper: Paper, cells: Sequence[Cell]) -> list[ClaimRow]:
    """Every claim of a paper that a system beats others, cell by cell.

    Args:
        paper: the paper.
        cells: cells of one of its tables or several; claims about other tables are left out.
    """
    by_place = {(c.table, c.dataset, c.system, c.metric, c.k): c for c in cells}
    rows = []
    for claim, column, rivals, place in of_paper(paper).contested():
        if not any(column.table == cell.table for cell in cells):
            continue
        rival = best(rivals, place)
        own = Fraction(column.numbers[place]) - Fraction(rival.numbers[place])
        found = allowed(column, rival, place)
        here = by_place.get((column.table, column.dataset, rival.method, place.metric, place.k))
        cell = by_place.get((column.table, column.dataset, column.method, place.metric, place.k))
        row = ClaimRow(
            paper=paper.id,
            where=claim.where,
            table=column.table,
            dataset=column.dataset,
            system=column.method,
            rival=rival.method,
            metric=str(place),
            published_difference=float(own),
            p_low=found.p_low if found else None,
            p_high=found.p_high if found else None,
            printed=_printed(own, found),
            here="not tested" if cell and cell.runs and here and here.runs else "not run",
            verdict=cell.verdict if cell else "not run",
        )
        tested = here.test if here and here.test and here.test.comparison.a == column.method else None
        rows.append(_judged(row, tested) if tested else row)
    return rows


def _printed(difference: Fraction, found: PRange | None) -> Judgement:
    """What the cells alone decide: a difference on the wrong side counts against a claim only where p does too."""
    if not found or found.decision == "undecidable without the data":
        return "undecidable"
    if found.decision == "not significant":
        return "not supported"
    return "supported" if difference > 0 else "reversed"


def _judged(row: ClaimRow, test: CellTest) -> ClaimRow:
    finding = test.finding()
    if finding == "open":
        here = "not supported" if (test.published_power or 0) >= POWER else "undecidable"
    else:
        here = "supported" if finding == "better" else "reversed"
    found = {
        "difference": test.comparison.difference,
        "p": test.comparison.p_deciding,
        "p_holm": test.comparison.p_holm,
        "mde_80": test.comparison.mde_80,
        "power": test.published_power,
        "n_needed": test.published_n_needed,
        "here": here,
    }
    return row.model_copy(update=found)
