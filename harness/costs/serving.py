"""How the cost of serving grows: the kept costs of a figure of serving, line by line."""

from collections.abc import Sequence

from harness.costs import kept as costs
from harness.costs.kept import KeptCost
from harness.costs.plan import COMMON
from harness.llm.ranking_cost import RankingCost
from harness.papers.cost_figures import ServingFigure
from harness.papers.paper import Paper


def serving(paper: Paper, table: str, kept: Sequence[KeptCost]) -> list[KeptCost]:
    """The costs of a figure of serving by machine, model and line, the common point first; none for another table."""
    if not isinstance(paper.table(table), ServingFigure):
        return []
    return sorted(costs.of_figure("serving", kept), key=_place)


def grows(cost: RankingCost) -> str | None:
    """The line that a cost lies on, a key of ``COMMON``; None: on all of them."""
    return next((line for line, value in COMMON.items() if getattr(cost, line) != value), None)


def along(line: str, kept: Sequence[KeptCost]) -> list[KeptCost]:
    """The costs on a line, the common point among them, by what grows."""
    own = [each for each in kept if grows(each.cost) in (line, None)]
    return sorted(own, key=lambda each: int(getattr(each.cost, line)))


def _place(kept: KeptCost) -> tuple[str, int, str, int, int, int, int]:
    cost, lines = kept.cost, [None, *COMMON]
    size = (cost.linear_weights or 0, cost.checkpoint, lines.index(grows(cost)))
    return kept.machine, *size, cost.history, cost.candidates, cost.batch
