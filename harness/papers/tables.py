"""The kinds of tables and figures that a paper's file describes.

Numbers are kept as the strings that were printed, in grids of text: a heading (what the rows are, then the
columns' names), then a label and its values a line, ``-`` where the paper prints nothing.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from harness.config import TASK_PREFIX, Strict

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


class Estimator(Strict):
    """How the paper's own arithmetic shows some columns of a table to have been averaged."""

    dataset: str
    systems: tuple[str, ...]
    estimator: str


class Retrieved(Strict):
    """Only the users whose target a system of the same seed ranks among its first so many count.

    Attributes:
        rerankers: systems that only re-rank that list, as printed; they too hit no other users.
    """

    system: str
    among: int = Field(ge=1)
    rerankers: tuple[str, ...] = ()


class Asking(Strict):
    """A table of what systems answered.

    Attributes:
        asks: settings of the task that differ from the defaults of ``next-item``.
    """

    asks: dict[str, str] = {}

    def task(self) -> dict[str, str]:
        """What a run's task must have."""
        return {"name": "next-item"} | self.asks

    def changes(self) -> list[dict[str, Any]]:
        """The settings of the runs behind each column, as ``--set`` takes them."""
        return [{f"{TASK_PREFIX}{key}": value for key, value in self.task().items()}]


class AccuracyTable(Asking):
    """Metrics by rows; data sets, and systems within them, by columns.

    Attributes:
        caption: what the table shows.
        command: what rebuilds it at the paper's own budget.
        users: restricts the users that count; None for all.
        estimators: columns that were not averaged exactly.
        quoted: systems whose numbers are other papers' own, got on other users.
        published: data set -> ``Metric@k`` -> system -> value as printed.
    """

    kind: Literal["accuracy"]
    caption: str
    command: str
    users: Retrieved | None = None
    estimators: tuple[Estimator, ...] = ()
    quoted: tuple[str, ...] = ()
    published: dict[str, Grid]

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.published)

    def systems(self, dataset: str) -> list[str]:
        """Systems of a data set, as printed, in the paper's order."""
        return list(next(iter(self.published[dataset].values())))

    def shows(self, dataset: str, system: str) -> bool:
        """Whether there is such a column."""
        return dataset in self.published and system in self.systems(dataset)

    def cells(self, dataset: str, system: str) -> int:
        """How many cells a column has; none if there is no such column."""
        return len(self.published[dataset]) if self.shows(dataset, system) else 0

    def estimator(self, dataset: str, system: str) -> str:
        """The declared estimator of a column."""
        for declared in self.estimators:
            if declared.dataset == dataset and system in declared.systems:
                return declared.estimator
        return "exact"


class StatisticsTable(Strict):
    """Data sets by rows, sizes by columns.

    Attributes:
        caption: what the table shows.
        command: what rebuilds it.
        published: data set -> statistic -> value as printed.
    """

    kind: Literal["statistics"]
    caption: str
    command: str
    published: Grid

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.published)


class Sweep(Asking):
    """A figure of metrics against one setting, whose published values are not known.

    Attributes:
        caption: what the figure shows.
        command: what rebuilds it at the paper's own budget.
        columns: its data sets and the systems on them, as printed.
        setting: of those systems; the abscissa.
        values: of the setting.
        metrics: e.g. ``Recall@10``.
    """

    kind: Literal["sweep"]
    caption: str
    command: str
    columns: dict[str, tuple[str, ...]]
    setting: str
    values: tuple[str | int, ...]
    metrics: tuple[str, ...]

    def changes(self) -> list[dict[str, Any]]:
        """The settings of the runs behind each point of a line, as ``--set`` takes them."""
        (asked,) = super().changes()
        return [asked | {self.setting: value} for value in self.values]

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.columns)

    def systems(self, dataset: str) -> list[str]:
        """Systems of a data set, as printed."""
        return list(self.columns[dataset])

    def cells(self, dataset: str, system: str) -> int:
        """How many cells a run is behind; none if the figure does not show the system there."""
        return len(self.metrics) if system in self.columns.get(dataset, ()) else 0


Table = Annotated[AccuracyTable | StatisticsTable | Sweep, Field(discriminator="kind")]
