"""What becomes of a run's process when the one that started it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

import baselines  # noqa: F401  registers the systems
from harness import run, store
from harness.config import RunConfig
from harness.engine import local
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.resolve import resolve

SCRIPT = """
import os, sys, time
from pathlib import Path
from harness.engine import local
from harness.home import Home
from harness.resolve import resolve
import baselines

def initialise():
    Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    config = resolve("popularity", "ml-100k", "smoke", 1, "cpu")
    local.execute([config], Home(Path(sys.argv[2])), "typed", 1, initialise)
"""
PATIENCE_S = 60


def test_a_run_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script, noted = tmp_path / "script.py", tmp_path / "pid"
    script.write_text(SCRIPT)
    paths = {"PYTHONPATH": os.pathsep.join(["", *sys.path])}
    parent = subprocess.Popen([sys.executable, str(script), str(noted), str(tmp_path)], env=os.environ | paths)
    deadline = time.monotonic() + PATIENCE_S
    while not (noted.exists() and noted.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    worker = psutil.Process(int(noted.read_text()))
    try:
        assert worker.is_running()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        worker.wait(PATIENCE_S)  # raises if it goes on
    finally:
        parent.kill()
        if worker.is_running():
            worker.kill()


def test_what_a_run_prints_is_no_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def execute(*_: object) -> tuple[SimpleNamespace, bool]:
        print("a system's line")
        return SimpleNamespace(record=SimpleNamespace(run="0123")), False

    monkeypatch.setattr(run, "execute", execute)
    config = resolve("popularity", "ml-100k", "smoke", 1, "cpu")
    assert local._execute(config, Home(Path("none")), "typed") == "0123"
    assert capsys.readouterr() == ("", "a system's line\n")


def ill_starred() -> None:
    """Register the systems in a process where seed 2 fails and seed 3 is killed."""
    execute = run.execute

    def executed(config: RunConfig, *given: Any) -> object:
        if config.seed == 2:
            raise ValueError("no such\nthing")
        if config.seed == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(config, *given)

    run.execute = executed  # type: ignore[assignment]


def test_whatever_ends_one_run_the_others_go_on(films: Path, tmp_path: Path) -> None:
    configs = [resolve("popularity", str(films), "smoke", seed, "cpu") for seed in (2, 3, 4)]
    configs.append(resolve("popularity", str(tmp_path / "none"), "smoke", 5, "cpu"))
    failed, killed, whole, misnamed = local.execute(configs, Home(tmp_path), "typed", 2, ill_starred)
    assert isinstance(failed, WorkError)
    assert str(failed) == "popularity seed 2: ValueError: no such thing"
    assert isinstance(killed, WorkError)
    assert str(killed) == "popularity seed 3: its process was killed; run again to resume"
    assert isinstance(misnamed, InputError)
    assert [each.record.run for each in store.all_runs(tmp_path / "runs")] == [whole]
