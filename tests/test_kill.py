"""A run killed with SIGKILL leaves nothing that reads as a result, resumes, and ends bit-identical."""

import shutil
import sys
from pathlib import Path

import pytest

from harness import store
from tests.killed import harness_until, python
from tests.worlds import prepared_folder, random_histories

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
SETTINGS = {
    "lrurec": ["--set", "max_steps=40", "--set", "validate_every=4"],
    "llamarec": ["--set", "prompts=48", "--set", "validate_every=2", "--set", "train_candidates=retrieved"],
}
SYSTEMS = sorted(SETTINGS)
BEFORE_THE_FIRST_CHECKPOINT = [("harness.checkpoint:save", 1)]
IN_THE_SECOND_THEN_BEFORE_THE_RENAME = [("harness.checkpoint:sync", 2), ("harness.store:sync", 1)]


def typed(system: str, data: Path, home: Path, *more: str) -> list[str]:
    asked = ["run", system, "--dataset", str(data), "--profile", "smoke"]
    return [*asked, *more, "--home", str(home)]


def finish(system: str, data: Path, home: Path, *more: str) -> store.Run:
    done = python("from tests.killed import main; main()", *typed(system, data, home, *more))
    assert done.returncode == 0, done.stderr
    (run,) = (run for run in store.all_runs(home / "runs", probed=True) if run.config.system == system)
    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_folder(tmp_path_factory.mktemp("data") / "films", random_histories(60, 40))


@pytest.fixture(scope="module")
def retriever(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the finished run that the ranker needs, so that it is the ranker that is killed."""
    home = tmp_path_factory.mktemp("retriever")
    finish("lrurec", data, home)
    return home


@pytest.fixture(scope="module")
def uninterrupted(data: Path, retriever: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, store.Run]:
    homes = {system: tmp_path_factory.mktemp(system) for system in SYSTEMS}
    shutil.copytree(retriever / "runs", homes["llamarec"] / "runs")
    return {system: finish(system, data, home, *SETTINGS[system]) for system, home in homes.items()}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("places", [BEFORE_THE_FIRST_CHECKPOINT, IN_THE_SECOND_THEN_BEFORE_THE_RENAME])
def test_killed_runs_resume_to_the_same_outcomes(
    system: str,
    places: list[tuple[str, int]],
    data: Path,
    retriever: Path,
    uninterrupted: dict[str, store.Run],
    tmp_path: Path,
) -> None:
    if system == "llamarec":
        shutil.copytree(retriever / "runs", tmp_path / "runs")
    kept = {run.record.run for run in store.all_runs(tmp_path / "runs")} if system == "llamarec" else set()
    asked = typed(system, data, tmp_path, *SETTINGS[system])
    for place, call in places:
        harness_until(place, call, *asked)
        assert {run.record.run for run in store.all_runs(tmp_path / "runs")} == kept
    resumed, whole = finish(system, data, tmp_path, *SETTINGS[system]), uninterrupted[system]
    assert resumed.record.resumed == (places != BEFORE_THE_FIRST_CHECKPOINT)
    assert resumed.record.run == whole.record.run
    assert resumed.record.files["outcomes.parquet"] == whole.record.files["outcomes.parquet"]
    assert resumed.record.files["weights.safetensors"] == whole.record.files["weights.safetensors"]
    assert resumed.record.fit.curve == whole.record.fit.curve
    assert not list((tmp_path / "runs").glob(".*.unfinished"))


def test_a_probe_killed_in_its_second_training_resumes_to_the_same(
    data: Path, uninterrupted: dict[str, store.Run], tmp_path: Path
) -> None:
    probed = [*SETTINGS["lrurec"], "--probe", "label-blind"]
    harness_until("harness.checkpoint:save", 2, *typed("lrurec", data, tmp_path, *probed), about="twin")
    assert list(tmp_path.glob("work/*/twin/work/*/checkpoint.safetensors"))
    assert not list(tmp_path.glob("runs/lrurec-*"))

    resumed, whole = finish("lrurec", data, tmp_path, *probed), uninterrupted["lrurec"]
    assert resumed.record.resumed
    assert resumed.record.fit.curve == whole.record.fit.curve
    notes = {"scores_with_other_targets": "equal", "largest_score_difference": 0.0}
    assert resumed.record.fit.notes == whole.record.fit.notes | notes
    assert resumed.record.files["outcomes.parquet"] == whole.record.files["outcomes.parquet"]
    assert resumed.record.files["weights.safetensors"] == whole.record.files["weights.safetensors"]
