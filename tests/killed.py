"""Processes that end themselves by a signal at a named place, so that a kill has nothing to race with."""

import importlib
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness.__main__ import main

TIMEOUT_S = 250


def die_at(place: str, call: int, by: int = signal.SIGKILL, about: str = "") -> None:
    """Let a function send this process a signal instead of answering.

    Args:
        place: ``module:function``, as its callers look it up.
        call: which call that is, from 1.
        by: the signal.
        about: only calls whose first argument has this in it count.
    """
    module, name = place.split(":")
    owner, calls = importlib.import_module(module), itertools.count(1)
    function = getattr(owner, name)

    def last(*arguments: object, **options: object) -> object:
        if about in str(arguments[0]) and next(calls) == call:
            os.kill(os.getpid(), by)
        return function(*arguments, **options)

    setattr(owner, name, last)


def harness_until(place: str, call: int, *arguments: str, by: int = signal.SIGKILL, about: str = "") -> str:
    """Run the command line in a process of its own until it dies of the signal, and return its standard error."""
    script = f"import tests.killed as k; k.die_at({place!r}, {call}, {int(by)}, {about!r}); k.main()"
    done = python(script, *arguments)
    assert done.returncode == (130 if by == signal.SIGINT else -by), done.stderr
    return done.stderr


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script with one thread from the root of the checkout."""
    environment, root = os.environ | {"OMP_NUM_THREADS": "1"}, Path(__file__).parents[1]
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


__all__ = ["die_at", "harness_until", "main", "python"]
