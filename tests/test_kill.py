"""A run killed with SIGKILL leaves nothing that reads as a result, resumes, and ends bit-identical."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import store
from tests.worlds import prepared_folder, random_histories

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
SETTINGS = {
    "lrurec": ["--set", "max_steps=40", "--set", "validate_every=4"],
    "llamarec": ["--set", "prompts=48", "--set", "validate_every=2", "--set", "train_candidates=retrieved"],
}
SYSTEMS = sorted(SETTINGS)


def start(system: str, data: Path, home: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness", "run", system, "--dataset", str(data), "--profile", "smoke"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command += [*SETTINGS[system], "--home", str(home), *more]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def finish(system: str, data: Path, home: Path) -> store.Run:
    process = start(system, data, home)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    (run,) = (run for run in store.all_runs(home / "runs") if run.config.system == system)
    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_folder(tmp_path_factory.mktemp("data") / "films", random_histories(60, 40))


@pytest.fixture(scope="module")
def retriever(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the finished run that the ranker needs, so that it is the ranker that is killed."""
    home = tmp_path_factory.mktemp("retriever")
    SETTINGS["lrurec"], own = [], SETTINGS["lrurec"]
    finish("lrurec", data, home)
    SETTINGS["lrurec"] = own
    return home


@pytest.fixture(scope="module")
def uninterrupted(data: Path, retriever: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, store.Run]:
    homes = {system: tmp_path_factory.mktemp(system) for system in SYSTEMS}
    shutil.copytree(retriever / "runs", homes["llamarec"] / "runs")
    return {system: finish(system, data, home) for system, home in homes.items()}


def fitting(home: Path) -> bool:
    return bool(list(home.glob("runs/.*.unfinished")))


def checkpointed(home: Path) -> bool:
    return bool(list(home.glob("work/*/checkpoint.safetensors")))


def writing(home: Path) -> bool:
    return bool(list(home.glob("runs/.*.unfinished/outcomes.parquet")))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("moments", [[fitting], [checkpointed, writing]], ids=["fitting", "checkpointed, then writing"])
def test_killed_runs_resume_to_the_same_outcomes(
    system: str,
    moments: list[Callable[[Path], bool]],
    data: Path,
    retriever: Path,
    uninterrupted: dict[str, store.Run],
    tmp_path: Path,
) -> None:
    if system == "llamarec":
        shutil.copytree(retriever / "runs", tmp_path / "runs")
    kept = {run.record.run for run in store.all_runs(tmp_path / "runs")} if system == "llamarec" else set()
    for moment in moments:
        process = start(system, data, tmp_path)
        deadline = time.monotonic() + 60
        while process.poll() is None and not moment(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL or moment is writing, "it ended before it could be killed"
        if process.returncode == -signal.SIGKILL:
            assert {run.record.run for run in store.all_runs(tmp_path / "runs")} == kept
    resumed, whole = finish(system, data, tmp_path), uninterrupted[system]
    assert resumed.record.resumed == (checkpointed in moments)
    assert resumed.record.run == whole.record.run
    assert resumed.record.files["outcomes.parquet"] == whole.record.files["outcomes.parquet"]
    assert resumed.record.files["weights.safetensors"] == whole.record.files["weights.safetensors"]
    assert resumed.record.fit.curve == whole.record.fit.curve
    assert not list((tmp_path / "runs").glob(".*.unfinished"))


def test_a_probe_killed_in_its_second_training_resumes_to_the_same(
    data: Path, uninterrupted: dict[str, store.Run], tmp_path: Path
) -> None:
    process = start("lrurec", data, tmp_path, "--probe", "label-blind")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("work/*/twin/work/*/checkpoint.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert not list(tmp_path.glob("runs/lrurec-*"))

    process = start("lrurec", data, tmp_path, "--probe", "label-blind")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    (folder,) = tmp_path.glob("runs/lrurec-*")
    resumed, whole = store.open_run(folder), uninterrupted["lrurec"]
    assert resumed.record.resumed
    assert resumed.record.fit.curve == whole.record.fit.curve
    probed = {"scores_with_other_targets": "equal", "largest_score_difference": 0.0}
    assert resumed.record.fit.notes == whole.record.fit.notes | probed
    assert resumed.record.files["outcomes.parquet"] == whole.record.files["outcomes.parquet"]
    assert resumed.record.files["weights.safetensors"] == whole.record.files["weights.safetensors"]
