"""What a search left: the configurations that were tried, what each was worth on validation, which was taken."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from harness.config import Retriever, RunConfig, Strict
from harness.folders import below, write_whole
from harness.resolve import complete
from harness.sealed import Sealed
from harness.system import find

SUFFIX = ".selection.json"


class Tried(Strict):
    """One configuration of a search.

    Attributes:
        settings: the values of the searched settings.
        value: the best value on validation.
        best_step, steps: when that was, and how long training went on.
    """

    settings: dict[str, float]
    value: float
    best_step: int
    steps: int


class Selection(Sealed):
    """A search over one system's settings on one data set; no test query was asked for it.

    Attributes:
        config: the configuration that was taken.
        inputs: digests of the data's files.
        monitor: the validation metric, e.g. ``Recall@10``.
        tried: every configuration, in the order of their values; the first of the best was taken.
        command, started_at, git_sha, dirty, earlier_commits, earlier_machines: how the search came about, as in a run's
            record.
        seal: of all this.
    """

    config: RunConfig
    inputs: dict[str, str]
    monitor: str
    tried: tuple[Tried, ...]
    command: str
    started_at: str
    git_sha: str | None
    dirty: bool | None
    earlier_commits: tuple[str, ...] = ()
    earlier_machines: tuple[str, ...] = ()
    seal: str = ""

    def is_of_grid(self) -> bool:
        """Whether all that was tried is of the paper's grid."""
        grid = find(self.config.system).grid
        return all(value in grid.get(key, ()) for each in self.tried for key, value in each.settings.items())

    def searched(self) -> dict[str, float]:
        """The searched settings with the values that were taken."""
        return {key: self.config.settings[key] for key in self.tried[0].settings}

    def covers(self, config: RunConfig) -> bool:
        """Whether a config has all but the searched settings, but for its seed and device and the profile's name."""
        return self.base(config) == self.base(self.config)

    def tries(self, config: RunConfig) -> bool:
        """Whether a config is one of those that were tried, with the same exceptions."""
        settings = complete(config).settings
        return self.covers(config) and any(each.settings.items() <= settings.items() for each in self.tried)

    def takes(self, config: RunConfig) -> bool:
        """Whether a config is the one that was taken, with the same exceptions."""
        settings = complete(config).settings
        return self.covers(config) and all(settings[key] == value for key, value in self.searched().items())

    def base(self, config: RunConfig) -> RunConfig:
        """What all configurations of the search share; two profiles with the same settings spend the same."""
        config = complete(config)
        settings = {key: value for key, value in config.settings.items() if key not in self.tried[0].settings}
        retriever = config.retriever.system if config.retriever else config.settings.get("retriever")
        lists = Retriever(system=retriever, run="") if retriever else None
        apart = {"settings": settings, "seed": 0, "device": "", "profile": "paper", "retriever": lists}
        return config.model_copy(update=apart)


def write(selection: Selection, runs: Path) -> Path:
    """Keep a sealed selection among the runs, as it was read if it was; one of the same search is replaced."""
    config = selection.config
    tried = json.dumps([each.settings for each in selection.tried])
    lists = config.retriever.run if config.retriever else ""
    base = hashlib.sha256(f"{selection.base(config).model_dump_json()}{tried}{lists}".encode()).hexdigest()[:16]
    name = f"{config.system}-{Path(config.dataset).name[:60]}-{config.profile}-seed{config.seed}-{base}{SUFFIX}"
    return write_whole(runs / name, selection.model_dump_json(indent=2, exclude_unset=True) + "\n")


def all_selections(runs: Path) -> list[Selection]:
    """Every selection under a folder, at any depth, the widest search first, then the latest.

    Raises:
        InputError: one of them was changed by hand.
    """
    found = [Selection.read(path, "a search", "delete it and search again") for path in below(runs, f"*{SUFFIX}")]
    latest = sorted(found, key=lambda selection: selection.started_at, reverse=True)
    return sorted(latest, key=lambda selection: -len(selection.tried))


def as_searched(config: RunConfig, selections: Iterable[Selection], inputs: dict[str, str] | None = None) -> RunConfig:
    """The config with the settings that a search of the paper's grid took on validation; as it is without one.

    Of several searches the first one given counts. What was chosen among other values is for whoever chose it to set.

    Args:
        config: the profile's own, say.
        selections: the searches there are.
        inputs: digests of the data's files, which a search must have been made on; None: not known.
    """
    for selection in selections:
        same_data = inputs is None or selection.inputs == inputs
        if same_data and selection.covers(config) and selection.is_of_grid():
            return config.model_copy(update={"settings": config.settings | selection.searched()})
    return config
