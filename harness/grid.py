"""Grid search on validation: every point is trained, no test query is asked; the best point alone becomes a run."""

import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from itertools import product

from harness import commits, data, run, selection, store
from harness import system as register
from harness.commits import Commit
from harness.config import RunConfig
from harness.data.dataset import digests
from harness.errors import InputError
from harness.home import Home
from harness.progress import Report
from harness.selection import Selection, Tried
from harness.store import Run


def points(config: RunConfig, fixed: Collection[str]) -> list[dict[str, float]]:
    """The values of the searched settings at every point of the system's grid.

    Raises:
        InputError: the system has no grid, or nothing of it is left to be searched.
    """
    grid = register.find(config.system).grid
    if not grid:
        raise InputError(f"system {config.system} has no grid; run it without --grid")
    searched = [key for key in grid if key not in fixed]
    if not searched:
        raise InputError(f"--grid: nothing is left to search; leave out --set {min(grid)}")
    return [dict(zip(searched, values, strict=True)) for values in product(*(grid[key] for key in searched))]


def search(config: RunConfig, fixed: Collection[str], home: Home, command: str, report: Report) -> tuple[Run, bool]:
    """Train every point, keep what was tried beside the runs, and finish the point that validated best.

    A search that was killed goes on where it stood; one that was finished is not done again.

    Args:
        config: whose grid is searched.
        fixed: settings that stay as the config has them.
        home: where data, checkpoints and runs live.
        command: what the user typed, for the record.
        report: takes one line of progress at a time.

    Returns:
        The run of the best point, the first of equals, and whether it was there already.

    Raises:
        InputError: there is nothing to search.
    """
    searched = points(config, fixed)
    sources = digests(data.load(config.dataset, home, report).sources)
    grid_points = [config.model_copy(update={"settings": config.settings | values}) for values in searched]
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
        same = (done.config.seed, done.inputs, done.tried[0].settings.keys())
        if done.covers(config) and same == (config.seed, sources, searched[0].keys()):
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
    trained_at: list[Commit] = []
    for point, values in zip(grid_points, searched, strict=True):
        fit, own, folder = run.fit(point, home, command, report)
        tried.append(Tried(settings=values, value=fit.best_value(), best_step=fit.best_step, steps=fit.steps))
        checkpoints.append(folder)
        trained_at.extend(own)
        monitor = fit.monitor or ""
        report(f"{point.system} {values}: {monitor} {fit.best_value():.4f} on validation")
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
    ).sealed()
    selection.write(found, home.runs)
    for folder in checkpoints[:taken] + checkpoints[taken + 1 :]:
        with run.alone(folder.with_name(f"{folder.name}.lock"), report):  # another run of this point
            shutil.rmtree(folder, ignore_errors=True)
    return found.config
