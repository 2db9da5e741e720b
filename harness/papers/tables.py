"""Tables of accuracy and of sizes, and figures of accuracy against one setting."""

from typing import Literal

from pydantic import Field

from harness.config import Strict
from harness.metrics import MetricLabel
from harness.papers.exhibit import Asking, Exhibit, Grid, MetricGrid, Wanted


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


class Gains(Strict):
    """What gains are held against, with what they cost beside them.

    Attributes:
        over: systems, as printed, against which each system with a language model is tested; of a figure, values of its
            setting, against which the others are. One of these is tested against those before it.
        metrics: e.g. ``Recall@10``.
    """

    over: tuple[str | int, ...]
    metrics: tuple[MetricLabel, ...]


class AccuracyTable(Asking):
    """Metrics by rows; data sets, and systems within them, by columns.

    Attributes:
        users: restricts the users that count; None for all.
        estimators: columns that were not averaged exactly.
        quoted: systems whose numbers are other papers' own, got on other users.
        authors_rule: an estimator that the authors' code applies and this table does not, to be listed beside.
        gains: gains to be tested beside the table.
        published: data set -> ``Metric@k`` -> system -> value as printed.
    """

    kind: Literal["accuracy"]
    users: Retrieved | None = None
    estimators: tuple[Estimator, ...] = ()
    quoted: tuple[str, ...] = ()
    authors_rule: str | None = None
    gains: Gains | None = None
    published: dict[str, MetricGrid]

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.published)

    def systems(self, dataset: str) -> list[str]:
        """Systems of a data set, as printed, in the paper's order."""
        return list(next(iter(self.published[dataset].values())))

    def shows(self, dataset: str, system: str) -> bool:
        """Whether there is such a column."""
        return dataset in self.published and system in self.systems(dataset)

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The runs behind a column."""
        return [Wanted(self.asking(), len(self.published[dataset]))] if self.shows(dataset, system) else []

    def printed(self, dataset: str, system: str) -> dict[str, str | None]:
        """The metrics of a column, and its values as printed."""
        return {label: row[system] for label, row in self.published[dataset].items()}

    def estimator(self, dataset: str, system: str) -> str:
        """The declared estimator of a column."""
        for declared in self.estimators:
            if declared.dataset == dataset and system in declared.systems:
                return declared.estimator
        return "exact"


class StatisticsTable(Exhibit):
    """Data sets by rows, sizes by columns.

    Attributes:
        published: data set -> statistic -> value as printed.
    """

    kind: Literal["statistics"]
    published: Grid

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.published)


class Sweep(Asking):
    """A figure of metrics against one setting, whose published values are not known.

    Attributes:
        columns: its data sets and the systems on them, as printed.
        setting: of those systems; the abscissa.
        values: of the setting.
        metrics: e.g. ``Recall@10``.
        gains: gains to be tested beside the figure.
    """

    kind: Literal["sweep"]
    columns: dict[str, tuple[str, ...]]
    setting: str
    values: tuple[str | int, ...]
    metrics: tuple[MetricLabel, ...]
    gains: Gains | None = None

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(self.columns)

    def systems(self, dataset: str) -> list[str]:
        """Systems of a data set, as printed."""
        return list(self.columns[dataset])

    def printed(self, dataset: str, system: str) -> dict[str, str | None]:
        """The metrics of a line; no value is known."""
        return dict.fromkeys(self.metrics)

    def estimator(self, dataset: str, system: str) -> str:
        """How a line's outcomes are reduced."""
        return "exact"

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The runs behind a line."""
        if system not in self.columns.get(dataset, ()):
            return []
        return [Wanted(self.asking() | {self.setting: value}, len(self.metrics)) for value in self.values]
