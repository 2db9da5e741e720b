"""Audit of published numbers from the printed tables alone: what they can and cannot be."""

from harness.audit import coverage, grid, order
from harness.audit.finding import STRENGTHS, Finding
from harness.audit.published import Published

RULES = (order.check, grid.check, coverage.check)


def audit(published: Published) -> list[Finding]:
    """Every finding about a paper's tables, the strongest first, then in the paper's order."""
    known = coverage.with_derived_users(published)
    found = [finding for rule in RULES for finding in rule(known)]
    return sorted(found, key=lambda finding: STRENGTHS.index(finding.strength))
