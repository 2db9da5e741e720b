"""Grid search on validation: every point is trained, no test query is asked; the best point alone becomes a run."""

import shutil
from datetime import UTC, datetime
from itertools import product

from harness import data, environment, run, selection
from harness import system as register
from harness.config import RunConfig
from harness.data.dataset import digests
from harness.errors import InputError
from harness.home import Home
from harness.progress import Report
from harness.selection import Selection, Tried
from harness.store import Run


def points(config: RunConfig) -> list[RunConfig]:
    """The config at every point of its system's grid.

    Raises:
        InputError: the system has no grid.
    """
    grid = register.find(config.system).grid
    if not grid:
        raise InputError(f"system {config.system} has no grid; run it without --grid")
    return [
        config.model_copy(update={"settings": config.settings | dict(zip(grid, values, strict=True))})
        for values in product(*grid.values())
    ]


def search(config: RunConfig, home: Home, command: str, report: Report) -> tuple[Run, bool]:
    """Train every point, keep what was tried beside the runs, and finish the point that validated best.

    A search that was killed goes on where it stood; one that was finished is not done again.

    Returns:
        The run of the best point, the first of equals, and whether it was there already.
    """
    sources = digests(data.load(config.dataset, home, report).sources)
    for done in selection.all_selections(home.runs):
        if done.covers(config) and (done.config.seed, done.inputs) == (config.seed, sources):
            return run.execute(done.config.model_copy(update={"device": config.device}), home, command, report)
    started, grid = datetime.now(UTC).isoformat(timespec="seconds"), register.find(config.system).grid
    grid_points = points(config)
    tried, checkpoints, monitor = [], [], ""
    for point in grid_points:
        fit, checkpoint = run.fit(point, home, command, report)
        values = {key: point.settings[key] for key in grid}
        tried.append(Tried(settings=values, value=fit.best_value(), best_step=fit.best_step, steps=fit.steps))
        checkpoints.append(checkpoint)
        monitor = fit.monitor or ""
        report(f"{config.system} {values}: {monitor} {fit.best_value():.4f} on validation")
    taken = max(range(len(tried)), key=lambda index: tried[index].value)
    sha, dirty = environment.commit()
    found = Selection(
        config=grid_points[taken],
        inputs=sources,
        monitor=monitor,
        tried=tuple(tried),
        command=command,
        started_at=started,
        git_sha=sha,
        dirty=dirty,
    )
    selection.write(found, home.runs)
    for checkpoint in checkpoints[:taken] + checkpoints[taken + 1 :]:
        shutil.rmtree(checkpoint, ignore_errors=True)
    return run.execute(found.config, home, command, report)
