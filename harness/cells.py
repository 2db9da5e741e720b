"""Runs to the cells of a published table: mean, interval, published value and verdict."""

from collections.abc import Iterator, Sequence

from harness import cost_rows, metrics
from harness.cell import Cell
from harness.columns import likeness, reduced, shared
from harness.costs import KeptCost
from harness.evidence import Evidence, gather, restrict
from harness.papers.paper import Paper, number
from harness.papers.tables import AccuracyTable, CostFigure, StatisticsTable, Sweep
from harness.selection import Selection
from harness.significance import significance
from harness.sizes import sizes
from harness.store import Run
from harness.sweep import sweep


def cells(
    paper: Paper,
    table: str,
    runs: Sequence[Run],
    estimator: str | None = None,
    selections: Sequence[Selection] = (),
    costs: Sequence[KeptCost] = (),
) -> list[Cell]:
    """The cells of a table in the paper's order: data sets, then systems, then metrics.

    Args:
        paper: the paper.
        table: its table's number.
        runs: all finished runs there are; what belongs to the table is chosen from them.
        estimator: how to reduce outcomes; None takes what the paper's file declares for each column.
        selections: all searches there are.
        costs: all measured costs there are.

    Raises:
        InputError: no such table or estimator, or a run's outcomes cannot be read.
    """
    spec = paper.table(table)
    if isinstance(spec, StatisticsTable):
        return list(sizes(paper, table, spec, runs))
    if isinstance(spec, CostFigure):
        return cost_rows.cells(paper, table, spec, costs)
    asked = [run for run in runs if spec.task().items() <= run.config.task.model_dump().items()]
    if isinstance(spec, Sweep):
        return list(sweep(paper, table, spec, asked, estimator or "exact", selections))
    return list(_accuracy(paper, table, spec, asked, estimator, selections))


def _accuracy(
    paper: Paper,
    table: str,
    spec: AccuracyTable,
    runs: Sequence[Run],
    estimator: str | None,
    selections: Sequence[Selection],
) -> Iterator[Cell]:
    columns = _columns(paper, spec, runs, selections)
    published = {
        (dataset, system, metrics.metric_at(label)): number(printed)[0] if (printed := row[system]) else None
        for dataset, rows in spec.published.items()
        for label, row in rows.items()
        for system in row
    }
    tests = significance(columns, paper.system, published, list(dict.fromkeys(at for _, _, at in published)))
    for (dataset, system), evidence in columns.items():
        like = likeness(paper, dataset, evidence.runs, runs)
        how = estimator or spec.estimator(dataset, system)
        for label, row in spec.published[dataset].items():
            metric, k = metrics.metric_at(label)
            value = published[dataset, system, (metric, k)]
            yield Cell(
                paper=paper.id,
                table=table,
                dataset=dataset,
                system=system,
                metric=metric,
                k=k,
                published=value,
                printed=row[system],
                **shared(evidence),
                **reduced(evidence, metric, k, how, value, like),
                test=tests.get((dataset, system, (metric, k))),
            )


def _columns(
    paper: Paper, spec: AccuracyTable, runs: Sequence[Run], selections: Sequence[Selection]
) -> dict[tuple[str, str], Evidence]:
    """What stands behind each column, by data set and system as printed, in the paper's order."""
    columns = {}
    for dataset in spec.published:
        for system in spec.systems(dataset):
            evidence = Evidence()
            if name := paper.systems.get(system):
                evidence = gather(runs, name, paper.datasets[dataset].names, selections)
            if spec.users:
                evidence = restrict(evidence, runs, paper.systems[spec.users.system], spec.users.among, selections)
            columns[dataset, system] = evidence
    return columns
