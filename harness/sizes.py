"""The cells of a table of data sets' sizes."""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.cell import Cell
from harness.columns import provenance
from harness.papers.paper import Paper, number
from harness.papers.tables import StatisticsTable
from harness.record import Statistics
from harness.store import Run
from harness.verdict import judge_size


def sizes(paper: Paper, table: str, spec: StatisticsTable, runs: Sequence[Run]) -> Iterator[Cell]:
    """Sizes of the data that any run of a set used; they have no seed and no interval."""
    for dataset, row in spec.published.items():
        names = paper.datasets[dataset].names
        shown = next((run for name in names for run in runs if run.config.dataset == name), None)
        for statistic, printed in row.items():
            published, digit = number(printed) if printed else (None, None)
            found: dict[str, Any] = {}
            if shown:
                size = _size(shown.record.statistics, statistic)
                found = {
                    "ran_dataset": shown.config.dataset,
                    "mean": size,
                    "verdict": judge_size(shown.config.dataset == names[0], published, digit, size),
                    "difference": None if published is None else size - published,
                    "profile": shown.config.profile,
                    **provenance([shown]),
                }
            yield Cell(
                paper=paper.id,
                table=table,
                dataset=dataset,
                system=None,
                metric=statistic,
                k=None,
                published=published,
                printed=printed,
                **found,
            )


def _size(sizes: Statistics, statistic: str) -> float:
    match statistic:
        case "Length":
            return sizes.interactions / sizes.users
        case "Density":
            return sizes.interactions / (sizes.users * sizes.items)
        case _:
            return float(getattr(sizes, statistic.lower()))
