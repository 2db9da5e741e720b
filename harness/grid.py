"""Search on validation: every point is trained, no test query is asked; the best point alone becomes a run."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product

from harness import commits, data, environment, resolve, run, selection, store
from harness import system as register
from harness.checkpoint import Trained
from harness.config import RELEASED, RunConfig
from harness.data.dataset import digests
from harness.errors import InputError
from harness.home import Home
from harness.progress import Report
from harness.selection import Selection, Tried
from harness.store import Run

Values = Mapping[str, Sequence[float]]  # setting -> the values that are tried


def of_paper(system: str, fixed: Collection[str]) -> Values:
    """The system's grid, but for the settings that are fixed.

    Raises:
        InputError: the system has no grid, or nothing of it is left to be searched.
    """
    grid = register.find(system).grid
    if not grid:
        raise InputError(f"system {system} has no grid; run it without --grid")
    searched = {key: values for key, values in grid.items() if key not in fixed}
    if not searched:
        raise InputError(f"--grid: nothing is left to search; leave out --set {min(grid)}")
    return searched


def points(values: Values) -> list[dict[str, float]]:
    """Every combination of the values."""
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def search(config: RunConfig, values: Values, home: Home, command: str, report: Report) -> tuple[Run, bool]:
    """Train every point, keep what was tried beside the runs, and finish the point that validated best.

    A search that was killed goes on where it stood; one that was finished is not done again.

    Args:
        config: what every point has but for the values.
        values: of the settings that are searched.
        home: where data, checkpoints and runs live.
        command: what the user typed, for the record.
        report: takes one line of progress at a time.

    Returns:
        The run of the best point, the first of equals, and whether it was there already.

    Raises:
        InputError: a setting that the system lacks or that cannot have such a value, an adapter that is taken, or a
            system that validates nothing.
    """
    if config.settings.get("adapter") == RELEASED:
        config = resolve.with_settings(config, {"adapter": None})
    if adapter := config.settings.get("adapter"):
        raise InputError(f"adapter={adapter}: nothing is tuned with one, so nothing can be searched; leave it out")
    searched = points(values)
    sources = digests(data.load(config.dataset, home, report).sources)
    grid_points = [resolve.with_settings(config, point) for point in searched]
    home.work.mkdir(parents=True, exist_ok=True)
    with run.alone(home.work / f"grid-{store.identity(grid_points[0], sources)}.lock", report):
        taken = _taken(config, searched, sources, home)
        if taken is None:
            taken = _search(grid_points, searched, sources, home, command, report)
    return run.execute(taken, home, command, report)


def _taken(
    config: RunConfig, searched: list[dict[str, float]], sources: dict[str, str], home: Home
) -> RunConfig | None:
    """What the same search took when it was done before."""
    for done in selection.all_selections(home.runs):
        same = (done.config.seed, done.config.retriever, done.inputs, [each.settings for each in done.tried])
        if done.covers(config) and same == (config.seed, config.retriever, sources, searched):
            return config.model_copy(update={"settings": config.settings | done.searched()})
    return None


def _search(
    grid_points: list[RunConfig],
    searched: list[dict[str, float]],
    sources: dict[str, str],
    home: Home,
    command: str,
    report: Report,
) -> RunConfig:
    """Train every point, keep what was tried, and name the point that validated best."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    tried, checkpoints, monitor = [], [], ""
    parts: list[Trained] = []
    for point, values in zip(grid_points, searched, strict=True):
        fit, own, folder = run.fit(point, home, command, report)
        if not fit.curve:
            raise InputError(f"system {point.system}: validates nothing, so nothing can be chosen; set {min(values)}")
        tried.append(Tried(settings=values, value=fit.best_value(), best_step=fit.best_step, steps=fit.steps))
        checkpoints.append(folder)
        parts.append(own)
        monitor = fit.monitor or ""
        report(f"{point.system} {values}: {monitor} {fit.best_value():.4f} on validation")
    trained_at = [commit for part in parts for commit in part.commits]
    taken = max(range(len(tried)), key=lambda index: tried[index].value)
    found = Selection(
        config=grid_points[taken],
        inputs=sources,
        monitor=monitor,
        tried=tuple(tried),
        command=command,
        started_at=started,
        git_sha=commits.here()[0],
        dirty=commits.changed(trained_at),
        earlier_commits=commits.others(trained_at),
        earlier_machines=environment.others(name for part in parts for name in part.machines),
    ).sealed()
    selection.write(found, home.runs)
    for folder in checkpoints[:taken] + checkpoints[taken + 1 :]:
        with run.alone(folder.with_name(f"{folder.name}.lock"), report):  # another run of this point
            shutil.rmtree(folder, ignore_errors=True)
    return found.config
