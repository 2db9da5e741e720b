"""Audit of published numbers from the printed tables alone: what they can and cannot be."""

from pathlib import Path

from harness.audit import arithmetic, claims, coverage, grid, joint, order
from harness.audit.finding import STRENGTHS, Finding
from harness.audit.published import Published, of_paper
from harness.audit.reading import read_csv
from harness.errors import InputError
from harness.papers import paper as papers

RULES = (order.check, grid.check, joint.check, coverage.check, arithmetic.check, claims.check)


def audit(published: Published) -> list[Finding]:
    """Every finding about a paper's tables, the strongest first, then by rule and in the paper's order."""
    known = coverage.with_derived_users(published)
    found = [finding for rule in RULES for finding in rule(known)]
    return sorted(found, key=lambda finding: STRENGTHS.index(finding.strength))


def audit_target(target: str) -> list[Finding]:
    """Every finding about a paper that the harness has, or about the papers of a CSV file.

    Raises:
        InputError: it is neither, or the file cannot be read.
    """
    if target in papers.names():
        return audit(of_paper(papers.load(target)))
    if Path(target).suffix != ".csv":
        raise InputError(f"{target}: neither a .csv file nor a paper; known: {', '.join(papers.names())}")
    return [finding for published in read_csv(Path(target)) for finding in audit(published)]
