"""Grid search: one run a point of the system's own grid; the best on validation is taken."""

from itertools import product

from harness import run
from harness import system as register
from harness.config import RunConfig
from harness.errors import InputError
from harness.home import Home
from harness.progress import Report
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
    """Run every point.

    Returns:
        The run with the best validation value, the first of equals, and whether all points were there already.
    """
    runs, all_cached = [], True
    for point in points(config):
        finished, cached = run.execute(point, home, command, report)
        all_cached &= cached
        chosen = {key: point.settings[key] for key in register.find(config.system).grid}
        fit = finished.record.fit
        report(f"{config.system} {chosen}: {fit.monitor} {fit.best_value():.4f} on validation")
        runs.append(finished)
    return max(runs, key=lambda each: each.record.fit.best_value()), all_cached
