"""The kinds of tables and figures that a paper's file describes.

Numbers are kept as the strings that were printed, in grids of text: a heading (what the rows are, then the
columns' names), then a label and its values a line, ``-`` where the paper prints nothing.
"""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from harness.config import TASK_PREFIX, Probe, RunConfig, Strict
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


class Asking(Strict):
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
        caption: what the table shows.
        command: what rebuilds it at the paper's own budget.
        users: restricts the users that count; None for all.
        estimators: columns that were not averaged exactly.
        quoted: systems whose numbers are other papers' own, got on other users.
        authors_rule: an estimator that the authors' code applies and this table does not, to be listed beside.
        gains: gains to be tested beside the table.
        published: data set -> ``Metric@k`` -> system -> value as printed.
    """

    kind: Literal["accuracy"]
    caption: str
    command: str
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
        gains: gains to be tested beside the figure.
    """

    kind: Literal["sweep"]
    caption: str
    command: str
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


class Ranker(Strict):
    """The runs whose accuracy stands beside the cost of a way to rank.

    Attributes:
        system: as the paper's file calls it.
        settings: that those runs must have.
    """

    system: str
    settings: dict[str, Any] = {}


class CostFigure(Asking):
    """Seconds that ranking takes, by the length of the titles.

    Attributes:
        caption: what the figure shows.
        command: what rebuilds it.
        titles: the data set whose titles are taken and whose users are asked, as printed.
        wording: of the prompts (``harness/llm/prompts``).
        items: of the history, and candidates, of the published requests.
        lines: the paper's lines, as printed, and the way to rank behind each (``harness.llm.ranking_cost``).
        accuracy: way to rank -> the runs that say how good it is, a checkpoint each.
        published: average tokens of a title -> line -> seconds as printed, or as read off.
    """

    kind: Literal["cost"]
    caption: str
    command: str
    titles: str
    wording: str
    items: int
    lines: dict[str, str]
    accuracy: dict[str, tuple[Ranker, ...]]
    published: Grid

    def datasets(self) -> list[str]:
        """The data set of its titles, as printed."""
        return [self.titles]

    def systems(self, dataset: str) -> list[str]:
        """Systems whose accuracy stands beside a cost, as the paper's file calls them."""
        return list(dict.fromkeys(ranker.system for ranker in self._rankers()))

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The runs that say how good a system's ways to rank are; no cell rests on them."""
        if dataset != self.titles:
            return []
        own = [ranker.settings for ranker in self._rankers() if ranker.system == system]
        return [Wanted(self.asking() | settings, 0) for settings in own]

    def _rankers(self) -> list[Ranker]:
        return [ranker for rankers in self.accuracy.values() for ranker in rankers]


class ServingFigure(Asking):
    """How the time of ranking by one forward pass grows with the request, the batch and the model.

    Attributes:
        caption: what the figure shows.
        command: what rebuilds it.
        titles: the data set whose titles are taken, and whose catalogue the retriever searches, as printed.
        wording: of the prompts (``harness/llm/prompts``).
        retriever: the system whose time stands beside the ranking's, as printed.
    """

    kind: Literal["serving"]
    caption: str
    command: str
    titles: str
    wording: str
    retriever: str

    def datasets(self) -> list[str]:
        """The data set of its titles, as printed."""
        return [self.titles]

    def systems(self, dataset: str) -> list[str]:
        """The retriever."""
        return [self.retriever]

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The retriever's run; no cell rests on it."""
        return [Wanted(self.asking(), 0)] if (dataset, system) == (self.titles, self.retriever) else []


class Change(Strict):
    """One change of a system's procedure.

    Attributes:
        system: as the paper's file calls it.
        datasets: on which it is tried, as printed.
        settings: what is changed, as ``--set`` takes it.
        probe: of the changed run.
    """

    system: str
    datasets: tuple[str, ...]
    settings: dict[str, Any] = {}
    probe: Probe | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "Change":
        if not (self.settings or self.probe):
            raise ValueError("neither settings nor a probe; expected a change")
        return self

    def is_made(self, config: RunConfig) -> bool:
        """Whether a configuration of its system has the change, whatever else it has."""
        task = {f"{TASK_PREFIX}{key}": value for key, value in config.task.model_dump().items()}
        has = (task | config.settings).items()
        return self.probe in (None, config.probe) and all(pair in has for pair in self.settings.items())


class Variants(Asking):
    """Columns of a table once more, each with one change, to see what a number hangs on; they feed no verdict.

    Attributes:
        caption: what is shown.
        command: what rebuilds it at the paper's own budget.
        of: the table.
        metrics: e.g. ``Recall@10``.
        changes: what is tried.
    """

    kind: Literal["variants"]
    caption: str
    command: str
    of: str
    metrics: tuple[MetricLabel, ...]
    changes: tuple[Change, ...]

    def datasets(self) -> list[str]:
        """Its data sets, as printed."""
        return list(dict.fromkeys(name for change in self.changes for name in change.datasets))

    def systems(self, dataset: str) -> list[str]:
        """Systems that are changed on a data set, as the paper's file calls them."""
        return list(dict.fromkeys(change.system for change in self.changes if dataset in change.datasets))

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The runs without and with each change; no cell rests on them."""
        own = [each for each in self.changes if each.system == system and dataset in each.datasets]
        changed = [Wanted(self.asking(), 0, each.settings, each.probe) for each in own]
        return [Wanted(self.asking(), 0), *changed] if own else []


Table = Annotated[
    AccuracyTable | StatisticsTable | Sweep | CostFigure | ServingFigure | Variants, Field(discriminator="kind")
]
