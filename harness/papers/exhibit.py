"""What every table and figure of a paper's file has, and how its numbers are read.

Numbers are kept as the strings that were printed, in grids of text: a heading (what the rows are, then the
columns' names), then a label and its values a line, ``-`` where the paper prints nothing.
"""

from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

from harness.config import TASK_PREFIX, Probe, Strict
from harness.metrics import MetricLabel

NOTHING = "-"


def parse_grid(text: str) -> dict[str, dict[str, str | None]]:
    """A grid of text as label -> column -> value as printed.

    Raises:
        ValueError: a line has another number of values than there are columns.
    """
    (_, *columns), *lines = (line.split() for line in text.splitlines())
    grid = {}
    for label, *values in lines:
        if len(values) != len(columns):
            raise ValueError(f"line {label}: {len(values)} values for {len(columns)} columns")
        row = zip(columns, values, strict=True)
        grid[label] = {column: None if value == NOTHING else value for column, value in row}
    return grid


Grid = Annotated[dict[str, dict[str, str | None]], BeforeValidator(parse_grid)]
MetricGrid = Annotated[dict[MetricLabel, dict[str, str | None]], BeforeValidator(parse_grid)]


class Exhibit(Strict):
    """A table or a figure.

    Attributes:
        caption: what it shows.
        command: what rebuilds it at the paper's own budget.
    """

    caption: str
    command: str


class Wanted(NamedTuple):
    """A configuration that a table wants of a system on a data set.

    Attributes:
        settings: as ``--set`` takes them; a search over others may settle these.
        cells: how many rest on it.
        change: settings that are changed after those that a search took on validation.
        probe: of its run.
    """

    settings: dict[str, Any]
    cells: int
    change: dict[str, Any] = {}
    probe: Probe | None = None


class Asking(Exhibit):
    """A table of what systems answered.

    Attributes:
        asks: settings of the task that differ from the defaults of ``next-item``.
    """

    asks: dict[str, str] = {}

    def task(self) -> dict[str, str]:
        """What a run's task must have."""
        return {"name": "next-item", "negatives": "uniform"} | self.asks

    def asking(self) -> dict[str, Any]:
        """The same as ``--set`` takes it."""
        return {f"{TASK_PREFIX}{key}": value for key, value in self.task().items()}
