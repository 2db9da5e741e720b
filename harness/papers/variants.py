"""Tables of variants: columns of another table, each with one change."""

from typing import Any, Literal

from pydantic import model_validator

from harness.config import TASK_PREFIX, Probe, RunConfig, Strict
from harness.metrics import MetricLabel
from harness.papers.exhibit import Asking, Wanted


class Change(Strict):
    """One change of a system's procedure.

    Attributes:
        system: as the paper's file calls it.
        datasets: on which it is tried, as printed.
        settings: what is changed, as ``--set`` takes it.
        both: what both sides have that the table's runs may lack, as ``--set`` takes it.
        probe: of the changed run.
    """

    system: str
    datasets: tuple[str, ...]
    settings: dict[str, Any] = {}
    both: dict[str, Any] = {}
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
        of: the table.
        metrics: e.g. ``Recall@10``.
        changes: what is tried.
    """

    kind: Literal["variants"]
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
        without = [Wanted(self.asking(), 0, both) for both in ({}, *(each.both for each in own))]
        changed = [Wanted(self.asking(), 0, each.both | each.settings, each.probe) for each in own]
        return [*without, *changed] if own else []
