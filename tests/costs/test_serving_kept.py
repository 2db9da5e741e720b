"""`harness reproduce llamarec:serving` from the command line, killed on its way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import cli
from harness.costs import kept as costs
from tests.command_line import Harness, as_ml_100k

VERB = ("reproduce", "llamarec:serving", "--profile", "smoke", "--out")


def in_a_process(films: str, *arguments: str) -> None:
    as_ml_100k(Path(films), pytest.MonkeyPatch())
    sys.argv = ["harness", *arguments]
    cli.main()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_measurement_keeps_its_points_and_goes_on(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [sys.executable, "-c", "import sys; from tests.costs.test_serving_kept import *; in_a_process(*sys.argv[1:])"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*own, str(films), *VERB, str(tmp_path / "out")], env=environment)
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(harness.home.rglob("*.cost.json")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    first = {path: path.read_bytes() for path in harness.home.rglob("*.cost.json")}
    assert 1 <= len(first) < 4

    as_ml_100k(films, monkeypatch)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    status, out, error = harness(*VERB, str(tmp_path / "out"))
    assert status == 0, error
    assert f"{4 - len(first)} of {4 - len(first)}: tiny, verbalizer" in error
    assert "Cost of serving" in out
    assert {path: path.read_bytes() for path in first} == first
    kept = costs.all_costs(harness.home / "runs")
    (run,) = (harness.home / "runs").glob("lrurec-*")
    assert len(kept) == 4
    assert all(each.retrieval and run.name.endswith(each.retrieval.run) for each in kept)
    assert (tmp_path / "out" / "llamarec-serving.svg").exists()

    status, _, error = harness("report", "llamarec", "--out", str(tmp_path / "kept"), "--keep")
    assert status == 0, error
    assert len(costs.all_costs(tmp_path / "kept")) == 4
    rows = json.loads((tmp_path / "kept" / "llamarec-serving.json").read_text())
    assert [row["grows"] for row in rows] == [None, "history", "candidates", "batch"]
