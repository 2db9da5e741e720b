"""The hooks of ``benchmarks/conftest.py``, in runs of pytest of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMED = """
import pytest

@pytest.mark.parametrize("rounds", [9, 10, 100])
def test_sum(benchmark, rounds):
    benchmark.pedantic(sum, args=([1, 2, 3],), rounds=rounds)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "benchmarks.conftest", str(folder / "test_timed.py")]
    options = [f"--rootdir={folder}", f"--benchmark-storage={folder / 'kept'}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LLMREC_PROFILE": "smoke"}
    return subprocess.run([*command, *options], capture_output=True, text=True, cwd=folder, env=environment)


def test_percentiles_and_the_machine_stand_in_the_json_and_another_commit_s_can_be_compared(tmp_path: Path) -> None:
    (tmp_path / "test_timed.py").write_text(TIMED)
    first = run(tmp_path, "--benchmark-json", str(tmp_path / "out.json"), "--benchmark-save=before")
    assert first.returncode == 0, first.stdout + first.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    carried = {
        row["params"]["rounds"]: [row["stats"][key] is not None for key in ("p50", "p90", "p99")]
        for row in found["benchmarks"]
    }
    assert carried == {9: [True, False, False], 10: [True, True, False], 100: [True, True, True]}
    stats = found["benchmarks"][0]["stats"]
    assert stats["p50"] == sorted(stats["data"])[4]
    machine = found["machine_info"]
    assert machine["profile"] == "smoke"
    assert {"torch", "transformers"} <= machine["versions"].keys()
    assert {"processor", "threads", "platform"} <= machine["hardware"].keys()
    assert len(machine["load_average"]) == 3

    second = run(tmp_path, "--benchmark-compare=0001")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "test_sum[100] (0001_before)" in second.stdout


def test_no_benchmark_is_cut_short_by_the_limit_that_tests_have() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-o", "timeout=0.001", "benchmarks/test_prefix_sharing.py"]
    found = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"LLMREC_PROFILE": "smoke"}
    )
    assert found.returncode == 0, found.stdout + found.stderr
