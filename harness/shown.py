"""What is shown of papers: the cells of their tables, and what is listed beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.cell import Cell
from harness.cells import cells
from harness.claims import ClaimRow, claims
from harness.costs import rows as cost_rows
from harness.costs.kept import KeptCost
from harness.costs.rows import CostRow
from harness.costs.serving import serving
from harness.gains import Gain, gains
from harness.other_rule import OtherRule, other_rule
from harness.papers import paper as papers
from harness.reproduce import Target
from harness.selection import Selection
from harness.store import Run
from harness.variants import Variant, variants


@dataclass(frozen=True)
class Shown:
    """A paper's.

    Attributes:
        cells: of the tables and figures asked for.
        costs: of the figures of costs among them.
        serving: of the figures of the cost of serving.
        gains: that they ask for.
        other_rules: of the tables whose authors' code has another rule.
        variants: of the tables of variants.
    """

    paper: str
    cells: Sequence[Cell]
    costs: Sequence[CostRow] = ()
    serving: Sequence[KeptCost] = ()
    gains: Sequence[Gain] = ()
    other_rules: Sequence[OtherRule] = ()
    variants: Sequence[Variant] = ()

    @cached_property
    def claims(self) -> list[ClaimRow]:
        """The paper's claims about the tables among them, held against the cells."""
        return claims(papers.load(self.paper), self.cells)


def shown(
    targets: Sequence[Target],
    runs: Sequence[Run],
    selections: Sequence[Selection],
    costs: Sequence[KeptCost],
    estimator: str | None,
    earlier: Sequence[Run] = (),
) -> list[Shown]:
    """Everything that the runs and costs say of the targets.

    Args:
        targets: papers and their tables.
        runs: all there are; those of probes stand in tables of variants alone.
        selections: all searches there are.
        costs: all measured costs there are.
        estimator: how to reduce outcomes; None takes what a paper's file declares for each column.
        earlier: runs that count as tested before a search, and are not shown.
    """
    return [
        Shown(
            target.paper.id,
            [
                cell
                for t in target.tables
                for cell in cells(target.paper, t, runs, estimator, selections, costs, earlier)
            ],
            [row for t in target.tables for row in cost_rows.rows(target.paper, t, costs, runs)],
            [kept for t in target.tables for kept in serving(target.paper, t, costs)],
            [row for t in target.tables for row in gains(target.paper, t, runs, selections)],
            [row for t in target.tables for row in other_rule(target.paper, t, runs, selections)],
            [row for t in target.tables for row in variants(target.paper, t, runs, selections)],
        )
        for target in targets
    ]
