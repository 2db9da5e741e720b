"""Adapters that a checkout keeps: which kept run's adapter ranks where a configuration asks for a released one."""

from typing import Any

from harness import resolve, store
from harness import system as register
from harness.config import RELEASED, RunConfig, TaskConfig
from harness.errors import InputError
from harness.home import Home
from harness.store import Run
from harness.system import SystemSpec


def settle(config: RunConfig, home: Home) -> RunConfig:
    """A configuration that names its adapter's run, and has the settings that it was tuned by.

    Of the kept runs of the same system, data set, task, seed and backbone, tuned with what the configuration sets
    otherwise than its profile and on more prompts than it would spend itself, the one that saw most is taken. Where
    there is none, as for other data or in a wheel, the configuration tunes by its own settings. One that asks for no
    released adapter stays as it is.
    """
    if config.settings.get("adapter") != RELEASED:
        return config
    kept = [run for run in store.all_runs(home.released) if _fits(run, config)] if home.released else []
    if not kept:
        return config.model_copy(update={"settings": config.settings | {"adapter": None}})
    best = max(kept, key=lambda run: (_seen(run), run.record.run))
    asked = config.settings | {"adapter": best.record.run}
    return config.model_copy(update={"settings": fitting(best, register.find(config.system), asked)})


def fitting(trained: Run, spec: SystemSpec, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that a run was tuned by, with the adapter's name and what is a system's own to choose from others.

    Raises:
        InputError: they are another system's, and this one does not know them all.
    """
    own = {key: settings[key] for key in ("adapter", *spec.layout, *spec.asks)}
    taken = trained.config.settings | own
    if unknown := sorted(taken.keys() - spec.config.model_fields.keys()):
        raise InputError(
            f"adapter={own['adapter']}: is of {trained.config.system}, whose setting {unknown[0]} {spec.name} lacks"
        )
    return taken


def _fits(run: Run, config: RunConfig) -> bool:
    """Whether a kept run tuned an adapter that a configuration could take; the data's digests are compared later."""
    if _asked(run.config) != _asked(config) or not (run.folder / store.WEIGHTS).exists():
        return False
    if _seen(run) <= (config.settings["prompts"] or 0):
        return False
    spec = register.find(config.system)
    keys = resolve.changed(config).keys() & config.settings.keys() - {"adapter", "prompts", *spec.layout, *spec.asks}
    tuned = resolve.complete(run.config).settings
    return all(tuned.get(key) == config.settings[key] for key in ("backbone", *keys))


def _asked(config: RunConfig) -> tuple[str, str, TaskConfig, int]:
    return config.system, config.dataset, config.task.whole(), config.seed


def _seen(run: Run) -> int:
    """Prompts that a run's adapter was tuned on."""
    return int(run.record.fit.notes["prompts_seen"])
