"""From a system, a data set and a profile to one complete, typed run configuration."""

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import ValidationError

from harness import system as register
from harness.config import RELEASED, TASK_PREFIX, Profile, RunConfig, Strict, TaskConfig, one_line
from harness.errors import InputError
from harness.llm.backbone import Quantisation

FOLDER = Path(__file__).parent / "profiles"
Model = TypeVar("Model", bound=Strict)


class Overrides(Strict):
    """What a profile changes for one data set, or for one task.

    Attributes:
        task: task settings.
        settings: of every system that has them.
        systems: settings of one system.
    """

    task: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    systems: dict[str, dict[str, Any]] = {}


class ServingPlan(Strict):
    """The lines along which a profile measures the cost of serving, beside their common point.

    Attributes:
        backbones: names and quantisations, the smallest first.
        models: the same of those that are measured at the common point alone.
        history: items that a prompt names.
        candidates: items to rank.
        batch: prompts ranked at once.
    """

    backbones: tuple[tuple[str, Quantisation], ...] = ()
    models: tuple[tuple[str, Quantisation], ...] = ()
    history: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    batch: tuple[int, ...] = ()


class CostPlan(Strict):
    """How much of the cost of ranking a profile measures (``harness.costs.plan``).

    Attributes:
        backbones: names and quantisations.
        batches: prompts ranked at once; all but the first where rivals are.
        items: of the history, and candidates.
        repeats: timings of the one forward pass, and of a list that is written.
        rivals_at: tokens a title at which other ways than the paper's two are measured, and larger batches.
        serving: how the one forward pass grows, timed as often as above.
    """

    backbones: tuple[tuple[str, Quantisation], ...] = ()
    batches: tuple[int, ...] = (1,)
    items: int = 20
    repeats: tuple[int, int] = (10, 1)
    rivals_at: tuple[int, ...] = ()
    serving: ServingPlan = ServingPlan()


class ProfileFile(Overrides):
    """A file in ``harness/profiles``: what it changes of the systems' defaults, which are the papers'.

    Attributes:
        about: one line for ``harness list profiles``.
        extends: the profile that this one starts from.
        task, settings, systems: what changes for every run.
        tasks: changes for the runs of one task, which win over a data set's.
        datasets: changes for one data set; settings that a system does not have are not for it.
        estimate_s: seconds that a run of a system took where the profile was measured.
        costs: what is measured of the cost of ranking.
    """

    about: str
    extends: Profile | None = None
    tasks: dict[str, Overrides] = {}
    datasets: dict[str, Overrides] = {}
    estimate_s: dict[str, float] = {}
    costs: CostPlan = CostPlan()


def profiles() -> tuple[str, ...]:
    """Names of the profiles, cheapest first."""
    return get_args(Profile)


@cache
def profile_file(name: str) -> ProfileFile:
    """Read and check one profile.

    Raises:
        InputError: no such profile.
    """
    if name not in profiles():
        raise InputError(f"profile {name!r} is unknown; known: {', '.join(profiles())}")
    return ProfileFile.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def _layers(name: str) -> list[ProfileFile]:
    own = profile_file(name)
    return [*(_layers(own.extends) if own.extends else []), own]


def _task_name(dataset: str, layers: list[ProfileFile], changes: dict[str, Any]) -> str:
    """The task that is named by ``changes``, else by the profile for the data set, else the default."""
    named: str = TaskConfig.model_fields["name"].default
    for layer in layers:
        named = (layer.task | layer.datasets.get(dataset, Overrides()).task).get("name", named)
    return str(changes.get(f"{TASK_PREFIX}name", named))


def _overrides(dataset: str, task: str, layers: list[ProfileFile]) -> list[Overrides]:
    """What the layers change for a data set and then for a task; the later wins."""
    of_data = [layer.datasets[dataset] for layer in layers if dataset in layer.datasets]
    return [*of_data, *(layer.tasks[task] for layer in layers if task in layer.tasks)]


def test_limit(config: RunConfig) -> int | None:
    """How many test queries a run's profile asks of its task; None: all."""
    layers = _layers(config.profile)
    task: dict[str, Any] = {}
    for each in (*layers, *_overrides(config.dataset, config.task.name, layers)):
        task |= each.task
    return task.get("test_limit")


def parse_assignments(assignments: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """``key=value`` pairs of the command line; a value is a JSON value (``0.1``, ``null``), else a string.

    Args:
        assignments: as they were typed.
        given: what other options set.

    Returns:
        Everything that was set, by key.

    Raises:
        InputError: an assignment without a key, or of a key that is set to something else already.
    """
    values = dict(given)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not (key and equals):
            raise InputError(f"--set {assignment}: expected key=value")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if key in values and values[key] != value:
            raise InputError(f"--set {assignment}: {key} is set to {values[key]} already; leave one of them out")
        values[key] = value
    return values


def as_assignments(values: dict[str, Any]) -> str:
    """Values as :func:`parse_assignments` reads them, in one line."""
    return ", ".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in values.items())


def resolve(
    system: str, dataset: str, profile: str, seed: int, device: str, changes: dict[str, Any] | None = None
) -> RunConfig:
    """The complete configuration of a run.

    The later wins: the system's defaults (its paper's), the profile's data set, its task, its system, its system on
    that data set, ``changes``. What a profile says of a system wins over all that the one it extends says of it.

    Args:
        system: a registered system.
        dataset: a data set's name or a prepared folder.
        profile: how much of the paper to spend.
        seed: of every generator of the run.
        device: ``cpu`` or ``cuda``.
        changes: settings by key; keys that begin with ``task.`` are the task's.

    Raises:
        InputError: an unknown system, profile or key, or a value of the wrong type.
    """
    spec = register.find(system)
    layers = _layers(profile)
    name = _task_name(dataset, layers, changes or {})
    own = _overrides(dataset, name, layers)
    task: dict[str, Any] = {"name": name}
    settings: dict[str, Any] = {}
    for each in (*layers, *own):
        task |= each.task
        settings |= {key: value for key, value in each.settings.items() if key in spec.config.model_fields}
    for layer in layers:
        for each in (layer, *_overrides(dataset, name, [layer])):
            settings |= each.systems.get(system, {})
    for key, value in (changes or {}).items():
        if key.startswith(TASK_PREFIX):
            task[_known(key.removeprefix(TASK_PREFIX), TaskConfig, "task")] = value
        else:
            settings[_known(key, spec.config, system)] = value
    complete = _checked(spec.config, settings, f"settings of {system}")
    return RunConfig(
        system=system,
        dataset=dataset,
        task=_checked(TaskConfig, task, "task"),
        profile=profile,  # type: ignore[arg-type]  # profile_file() has checked it
        seed=seed,
        device=device,
        settings=complete.model_dump(mode="json"),
    )


def with_settings(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    """A configuration with some settings changed.

    Raises:
        InputError: an unknown key, or a value of the wrong type.
    """
    spec = register.find(config.system)
    settings = config.settings | {_known(key, spec.config, config.system): value for key, value in changes.items()}
    checked = _checked(spec.config, settings, f"settings of {config.system}")
    return config.model_copy(update={"settings": checked.model_dump(mode="json")})


def _known(key: str, model: type[Strict], where: str) -> str:
    if key not in model.model_fields:
        raise InputError(f"setting {key!r}: {where} has none of that name; known: {', '.join(model.model_fields)}")
    return key


def _checked(model: type[Model], values: dict[str, Any], where: str) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {one_line(error)}") from None


def complete(config: RunConfig) -> RunConfig:
    """A kept run's configuration with the keys that its system has gained since, at the defaults: what it ran as.

    It is unchanged where the system is not registered, or no longer takes these settings.
    """
    spec = register.systems().get(config.system)
    if spec is None:
        return config
    try:
        settings = spec.config.model_validate(config.settings)
    except ValidationError:
        return config
    return config.model_copy(update={"settings": settings.model_dump(mode="json")})


def follows(config: RunConfig, profile: str, aside: str | None = None) -> bool:
    """Whether a run's task and settings are a profile's, or its settings a point of the system's grid beside them.

    The backbone is judged by itself, settings that only lay out the work are left aside, and a re-ranker must have
    ranked the lists of the profile's retriever.

    Args:
        config: the run's.
        profile: the profile's name.
        aside: one more setting that may be another than the profile's, as the one that a figure sweeps.
    """
    spec, own = register.find(config.system), _profiles_own(config, profile)
    if config.task != own.task:
        return False
    if config.retriever and config.retriever.system != own.settings["retriever"]:
        return False
    free = {*spec.layout, "backbone", aside}
    return all(
        key in free or value == own.settings.get(key) or value in spec.grid.get(key, ())
        for key, value in complete(config).settings.items()
    )


def _profiles_own(config: RunConfig, profile: str) -> RunConfig:
    """What a profile would run in a configuration's place: of the same system, data, seed and task.

    Where it takes a released adapter and the configuration took one, that is the one, and how it was tuned is not the
    profile's to set; where the configuration found none, the profile tunes as it does.
    """
    asked = {f"{TASK_PREFIX}name": config.task.name}
    own = resolve(config.system, config.dataset, profile, config.seed, config.device, asked)
    if own.settings.get("adapter") != RELEASED:
        return own
    if took_released(config):
        asks = {key: own.settings[key] for key in register.find(config.system).asks}
        return own.model_copy(update={"settings": complete(config).settings | asks})
    found = config.settings.get("adapter")
    return own if found else own.model_copy(update={"settings": own.settings | {"adapter": None}})


def took_released(config: RunConfig) -> bool:
    """Whether a configuration took the adapter of a run that the checkout keeps (``harness.released``)."""
    return str(config.settings.get("adapter")).startswith(f"{RELEASED}:")


def changed(config: RunConfig) -> dict[str, Any]:
    """What a configuration sets otherwise than its profile does for the same task, by key as ``--set`` takes it."""
    own = _profiles_own(config, config.profile)
    before, now = own.task.model_dump(), config.task.model_dump()
    task = {f"{TASK_PREFIX}{key}": value for key, value in now.items() if value != before[key]}
    return task | {key: value for key, value in config.settings.items() if (key, value) not in own.settings.items()}


def is_paper_budget(config: RunConfig) -> bool:
    """Whether a run spent what the paper spends: its settings, or a point of its grid."""
    return follows(config, "paper")
