"""The cells of a figure of metrics against one setting: a line a system and metric, a point a value."""

from collections.abc import Iterator, Sequence

from harness import metrics
from harness.cell import Cell
from harness.columns import likeness, reduced, shared
from harness.evidence import Evidence, gather
from harness.papers.paper import Paper
from harness.papers.tables import Sweep
from harness.selection import Selection
from harness.store import Run


def sweep(
    paper: Paper, table: str, spec: Sweep, runs: Sequence[Run], estimator: str, selections: Sequence[Selection]
) -> Iterator[Cell]:
    """Data sets, then systems, then values of the setting, then metrics.

    Args:
        paper: the paper.
        table: its figure's name.
        spec: the figure.
        runs: those that were asked what the figure asks.
        estimator: how to reduce outcomes.
        selections: all searches there are.
    """
    for dataset in spec.datasets():
        for system in spec.systems(dataset):
            for value in spec.values:
                set_so = [run for run in runs if run.config.settings.get(spec.setting) == value]
                name, evidence = paper.systems.get(system), Evidence()
                if name:
                    evidence = gather(set_so, name, paper.datasets[dataset].names, selections)
                like = likeness(paper, dataset, evidence.runs, runs)
                for label in spec.metrics:
                    metric, k = metrics.metric_at(label)
                    yield Cell(
                        paper=paper.id,
                        table=table,
                        dataset=dataset,
                        system=system,
                        x=value,
                        metric=metric,
                        k=k,
                        published=None,
                        printed=None,
                        **shared(evidence),
                        **reduced(evidence, metric, k, estimator, None, like),
                    )
