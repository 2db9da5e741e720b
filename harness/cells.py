"""Runs to the cells of a published table or figure: mean, interval, published value and verdict."""

from collections.abc import Iterator, Sequence

from harness import metrics
from harness.cell import Cell
from harness.columns import Column, columns, reduced, shared
from harness.costs import rows as cost_rows
from harness.costs.kept import KeptCost
from harness.evidence import ordered
from harness.papers.cost_figures import CostFigure, ServingFigure
from harness.papers.paper import Paper, number
from harness.papers.tables import AccuracyTable, StatisticsTable, Sweep
from harness.papers.variants import Variants
from harness.selection import Selection
from harness.significance import significance
from harness.sizes import sizes
from harness.store import Run


def cells(
    paper: Paper,
    table: str,
    runs: Sequence[Run],
    estimator: str | None = None,
    selections: Sequence[Selection] = (),
    costs: Sequence[KeptCost] = (),
    earlier: Sequence[Run] = (),
) -> list[Cell]:
    """The cells of a table in the paper's order: data sets, then systems, then a figure's values, then metrics.

    A figure of serving and a table of variants have none.

    Args:
        paper: the paper.
        table: its table's number.
        runs: all finished runs there are; what belongs to the table is chosen from them.
        estimator: how outcomes become what is shown; None takes what the paper's file declares for each column,
            which alone is judged.
        selections: all searches there are.
        costs: all measured costs there are.
        earlier: runs that count as tested before a search, and are not shown.

    Raises:
        InputError: no such table or estimator, or a run's outcomes cannot be read.
    """
    spec = paper.table(table)
    if isinstance(spec, StatisticsTable):
        return list(sizes(paper, table, spec, runs))
    if isinstance(spec, CostFigure):
        return cost_rows.cells(paper, table, spec, costs)
    if isinstance(spec, ServingFigure | Variants):
        return []
    return list(_measured(paper, table, spec, list(columns(paper, spec, runs, selections, earlier)), runs, estimator))


def _measured(
    paper: Paper,
    table: str,
    spec: AccuracyTable | Sweep,
    found: Sequence[Column],
    runs: Sequence[Run],
    estimator: str | None,
) -> Iterator[Cell]:
    printed = {
        (column.dataset, column.system, metrics.metric_at(label)): text
        for column in found
        for label, text in spec.printed(column.dataset, column.system).items()
    }
    published = {place: number(text)[0] if text else None for place, text in printed.items()}
    tests = {}
    if isinstance(spec, AccuracyTable):
        by_heading = {(column.dataset, column.system): column.evidence for column in found}
        rankers = {name: evidence for (name, system), evidence in by_heading.items() if system == paper.system}
        retrievers = {dataset: ordered(evidence, runs) for dataset, evidence in rankers.items()}
        wanted = list(dict.fromkeys(at for *_, at in published))
        tests = significance(by_heading, paper.system, published, wanted, retrievers)
    for column in found:
        declared = spec.estimator(column.dataset, column.system)
        how = {"estimator": estimator or declared, "declared": declared}
        for label in spec.printed(column.dataset, column.system):
            metric, k = at = metrics.metric_at(label)
            place = (column.dataset, column.system, at)
            yield Cell(
                paper=paper.id,
                table=table,
                dataset=column.dataset,
                system=column.system,
                x=column.x,
                metric=metric,
                k=k,
                published=published[place],
                printed=printed[place],
                **shared(column.evidence),
                **reduced(column.evidence, metric, k, published[place], column.like, **how),
                test=tests.get(place),
            )
