"""Runs in fresh processes of this machine: each run's peak memory is its own; one that dies takes no other along."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stdout
from threading import Thread

from harness import console, environment, run
from harness.config import RunConfig, one_line
from harness.errors import HarnessError, WorkError
from harness.home import Home

Initialise = Callable[[], None]


def execute(
    configs: list[RunConfig], home: Home, command: str, jobs: int, initialise: Initialise
) -> list[str | HarnessError]:
    """Execute runs that do not need each other.

    Args:
        configs: what to run.
        home: where data and runs live.
        command: what the user typed, for the records.
        jobs: processes at a time, which share the cores.
        initialise: called first in each process; registers the systems there.

    Returns:
        For each config the run's identity, or the error that ended it.
    """

    def in_process(config: RunConfig) -> str | HarnessError:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context, _start, (initialise, jobs)) as process:
            try:
                return process.submit(_execute, config, home, command).result()
            except HarnessError as error:
                return error
            except BrokenProcessPool:
                return WorkError(f"{config.system} seed {config.seed}: its process was killed; run again to resume")
            except Exception as error:  # whatever ends one run, the others go on
                return WorkError(f"{config.system} seed {config.seed}: {type(error).__name__}: {one_line(error)}")

    with ThreadPoolExecutor(jobs) as lanes:
        return list(lanes.map(in_process, configs))


def _start(initialise: Initialise, jobs: int) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    environment.use_threads(jobs)
    initialise()


def _end_with_parent() -> None:
    """A run whose parent was killed ends too; it goes on from its checkpoint when it is asked for again."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _execute(config: RunConfig, home: Home, command: str) -> str:
    with redirect_stdout(sys.stderr):  # whatever a system or a library prints
        finished, _ = run.execute(config, home, command, console.progress)
    return finished.record.run
