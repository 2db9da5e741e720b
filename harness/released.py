"""Adapters that a checkout keeps: which kept run's adapter ranks where a configuration asks for a released one."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import escape
from typing import Any

from harness import resolve, store
from harness import system as register
from harness.config import RELEASED, RunConfig, TaskConfig
from harness.data.dataset import digests as digests_of
from harness.errors import InputError
from harness.folders import below
from harness.home import Home
from harness.probes import OF_TRAINING
from harness.store import Run
from harness.system import SystemSpec


def settle(config: RunConfig, home: Home, digests: dict[str, str] | None = None) -> RunConfig:
    """A configuration that names its adapter's run, as ``released:RUN``, and has the settings that it was tuned by.

    Of the kept runs of the same system, data, task, seed and backbone, tuned with what the configuration sets
    otherwise than its profile (but for how it asks) and on more prompts than it would spend itself, the one that saw
    most is taken. Where there is none, as in a wheel, or where a probe is about training, the configuration tunes by
    its own settings. One that asks for no released adapter stays as it is.

    Args:
        config: which may have ``adapter=released``.
        home: where kept runs are.
        digests: of the data's files and of the backbone; None: these are taken to be those of the same names.

    Raises:
        InputError: the adapter that fits is missing from its run.
    """
    if config.settings.get("adapter") != RELEASED:
        return config
    asked = [] if config.probe in OF_TRAINING else _kept(home, f"{config.system}-*")
    fit = [run for run in asked if _fits(run, config, digests)]
    settings = config.settings | {"adapter": None}
    if fit:
        best = max(fit, key=lambda run: (_seen(run), run.record.run))
        named = config.settings | {"adapter": f"{RELEASED}:{best.record.run}"}
        settings = fitting(best, register.find(config.system), named)
    return config.model_copy(update={"settings": settings})


def all_or_none(seeds: Sequence[RunConfig], home: Home) -> Sequence[RunConfig]:
    """Configurations that differ by their seeds; where one that asks for a released adapter finds none, no one does.

    Otherwise the seeds of one column would have been tuned on different numbers of prompts.
    """
    asking = [config for config in seeds if config.settings.get("adapter") == RELEASED]
    if all(resolve.took_released(settle(config, home)) for config in asking):
        return seeds
    return [config.model_copy(update={"settings": config.settings | {"adapter": None}}) for config in seeds]


def find(adapter: str, home: Home) -> Run | None:
    """The kept run that ``RUN`` or ``released:RUN`` names."""
    name = adapter.removeprefix(f"{RELEASED}:")
    return next((run for run in _kept(home, f"*-{escape(name)}") if run.record.run == name), None)


def fitting(trained: Run, spec: SystemSpec, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that a run was tuned by, with the adapter's name and what is a system's own to choose from others.

    Raises:
        InputError: they are another system's, and this one does not know them all.
    """
    own = {key: settings[key] for key in ("adapter", *spec.layout, *spec.asks)}
    taken = resolve.complete(trained.config).settings | own
    if unknown := sorted(taken.keys() - spec.config.model_fields.keys()):
        raise InputError(
            f"adapter={own['adapter']}: is of {trained.config.system}, whose setting {unknown[0]} {spec.name} lacks"
        )
    return taken


def _kept(home: Home, pattern: str) -> Iterator[Run]:
    """The kept runs whose folder has such a name, but for those of probes and of a limited test; no other is read."""
    for path in below(home.released, store.RECORD) if home.released else []:
        if fnmatchcase(path.parent.name, pattern) and (run := store.open_run(path.parent)).config.stands_in_tables():
            yield run


def _fits(run: Run, config: RunConfig, digests: dict[str, str] | None) -> bool:
    """Whether a kept run tuned an adapter that a configuration could take."""
    spec, settings, record = register.find(config.system), config.settings, run.record
    if _asked(run.config) != _asked(config):
        return False
    if settings.get("prompts") is None or _seen(run) <= settings["prompts"] * settings["epochs"]:
        return False
    if digests is not None:
        read = digests_of(record.data) | ({"backbone": record.model.sha256} if record.model else {})
        if read != digests:
            return False
    keys = resolve.changed(config).keys() & settings.keys() - {"adapter", "prompts", *spec.layout, *spec.asks}
    tuned = resolve.complete(run.config).settings
    return all(tuned.get(key) == settings[key] for key in ("backbone", *keys)) and keeps_adapter(run)


def keeps_adapter(run: Run) -> bool:
    """Whether a kept re-ranker's run has its adapter beside it; one that ranked with another's has none to keep.

    Raises:
        InputError: it tuned one, which is missing.
    """
    path = run.folder / store.WEIGHTS
    tuned = store.WEIGHTS in run.record.files and "weights_of_run" not in run.record.fit.notes
    if tuned and run.config.retriever and not path.exists():
        raise InputError(f"{path}: is missing; restore the kept adapter, or tune one afresh (--tune, adapter=null)")
    return path.exists()


def _asked(config: RunConfig) -> tuple[str, str, TaskConfig, int]:
    return config.system, config.dataset, config.task.whole(), config.seed


def _seen(run: Run) -> int:
    """Prompts that a run's adapter was tuned on."""
    return int(run.record.fit.notes.get("prompts_seen", 0))
