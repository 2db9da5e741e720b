"""`harness reproduce llamarec:serving` from the command line, killed on its way."""

import json
import signal
import sys
from pathlib import Path

import pytest

from harness.costs import kept as costs
from tests.command_line import Harness, as_ml_100k
from tests.killed import python

VERB = ("reproduce", "llamarec:serving", "--profile", "smoke", "--out")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_measurement_keeps_its_points_and_goes_on(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"from pathlib import Path; import pytest; as_ml_100k(Path({str(films)!r}), pytest.MonkeyPatch())"
    script = f"from tests.command_line import as_ml_100k; from tests.killed import *; {here}; "
    done = python(f"{script}die_at('harness.costs.kept:write', 2); main()", *VERB, str(tmp_path / "out"))
    assert done.returncode == -signal.SIGKILL, done.stderr
    first = {path: path.read_bytes() for path in harness.home.rglob("*.cost.json")}
    assert len(first) == 1

    as_ml_100k(films, monkeypatch)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    status, out, error = harness(*VERB, str(tmp_path / "out"))
    assert status == 0, error
    assert "3 of 3: tiny, verbalizer" in error
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
