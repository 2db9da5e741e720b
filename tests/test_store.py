import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from harness import outcomes as outcome_file
from harness import store
from harness.config import RunConfig, TaskConfig
from harness.data.digest import sha256_of
from harness.errors import InputError, WorkError
from harness.outcomes import Outcomes
from harness.record import FitRecord, QueryCounts, RunRecord, Statistics

CONFIG = RunConfig(
    system="toy", dataset="made-up", task=TaskConfig(), profile="smoke", seed=1, device="cpu", settings={"lr": 0.1}
)
OUTCOMES = Outcomes(np.arange(1, 4), np.array([1, 70_000, 3]), np.array([0, 2, 0]), np.array([True, False, True]))
LISTS = np.array([[1, 2], [3, 65_000], [5, 6]], dtype=np.int32)


def fill(folder: Path) -> RunRecord:
    outcome_file.write(OUTCOMES, folder / "outcomes.parquet")
    store.write_lists(LISTS, LISTS[:, ::-1], folder / "lists.parquet")
    return bare_record()


def bare_record() -> RunRecord:
    return RunRecord(
        run="abc",
        system="toy",
        dataset="made-up",
        profile="smoke",
        seed=1,
        command="harness run",
        started_at="2026-01-01",
        git_sha=None,
        dirty=None,
        versions={},
        hardware={},
        determinism=(),
        resumed=False,
        wall_s=1,
        peak_memory_bytes=1,
        peak_device_memory_bytes=None,
        energy_j=None,
        data=(),
        data_notes=(),
        model=None,
        fit=FitRecord(),
        queries=QueryCounts(asked=2, withheld=1, target_seen=0),
        statistics=Statistics(users=3, items=9, interactions=20),
    )


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = store.write(tmp_path, CONFIG, "abc", fill)
    found = store.find(tmp_path, "abc")
    assert found is not None
    assert found.config == CONFIG == written.config
    read = found.outcomes()
    for name in ("query", "rank", "ties", "asked"):
        assert getattr(read, name).tolist() == getattr(OUTCOMES, name).tolist()
    assert found.lists("validation").tolist() == LISTS.tolist()
    assert found.lists("test").tolist() == LISTS[:, ::-1].tolist()
    assert [run.record.run for run in store.all_runs(tmp_path)] == ["abc"]
    assert store.find(tmp_path, "abd") is None


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def broken(folder: Path) -> RunRecord:
        fill(folder)
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError):
        store.write(tmp_path, CONFIG, "abc", broken)
    assert list(tmp_path.iterdir()) == []


def test_ids_beyond_two_bytes_are_kept(tmp_path: Path) -> None:
    def many(folder: Path) -> RunRecord:
        record = fill(folder)
        store.write_lists(LISTS, LISTS + 5_000, folder / store.LISTS)
        return record

    assert store.write(tmp_path, CONFIG, "abc", many).lists("test").tolist() == (LISTS + 5_000).tolist()


def test_a_record_that_cannot_be_read_again_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="the record of toy cannot be kept: wall_s"):
        store.write(tmp_path, CONFIG, "abc", lambda folder: fill(folder).model_copy(update={"wall_s": "long"}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_renamed_is_not_another_run(tmp_path: Path) -> None:
    folder = store.write(tmp_path, CONFIG, "abc", fill).folder
    folder.rename(folder.with_name("toy-made-up-smoke-seed1-abd"))
    with pytest.raises(InputError, match="abd: holds run abc; delete the folder and run again"):
        store.find(tmp_path, "abd")


def test_an_unfinished_folder_is_not_a_result(tmp_path: Path) -> None:
    unfinished = tmp_path / ".abc.unfinished"
    unfinished.mkdir()
    fill(unfinished)
    assert store.all_runs(tmp_path) == []
    assert store.find(tmp_path, "abc") is None


@pytest.mark.parametrize("edit", ["outcomes", "config", "record", "missing", "added", "status", "seed"])
def test_a_folder_edited_by_hand_is_refused_by_name(tmp_path: Path, edit: str) -> None:
    folder = store.write(tmp_path, CONFIG, "abc", fill).folder
    outcomes, config, record = folder / "outcomes.parquet", folder / "config.yaml", folder / "run.json"
    if edit == "outcomes":
        outcome_file.write(OUTCOMES.take(OUTCOMES.asked), outcomes)
    elif edit == "config":
        config.write_text(config.read_text().replace("seed: 1", "seed: 2"))
    elif edit == "record":
        record.write_text(record.read_text()[:-20])
    elif edit == "missing":
        outcomes.unlink()
    elif edit == "added":
        (folder / "extra.txt").write_text("x")
    elif edit == "status":
        record.write_text(record.read_text().replace('"complete"', '"running"'))
    else:
        record.write_text(record.read_text().replace('"seed": 1', '"seed": 2'))
    named = {
        "outcomes": "outcomes.parquet",
        "missing": "outcomes.parquet",
        "config": "config.yaml",
        "added": "extra.txt",
    }
    with pytest.raises(InputError, match=named.get(edit, "run.json")) as error:
        store.find(tmp_path, "abc")
    assert "\n" not in str(error.value)


def test_a_copy_may_leave_out_the_weights_but_not_change_them(tmp_path: Path) -> None:
    def with_weights(folder: Path) -> RunRecord:
        (folder / store.WEIGHTS).write_bytes(b"weights")
        return fill(folder)

    folder = store.write(tmp_path, CONFIG, "abc", with_weights).folder
    (folder / store.WEIGHTS).write_bytes(b"others")
    with pytest.raises(InputError, match="weights.safetensors: changed"):
        store.open_run(folder)
    (folder / store.WEIGHTS).unlink()
    assert len(store.open_run(folder).outcomes()) == 3


def test_a_copy_serves_as_evidence_and_never_as_a_finished_run(tmp_path: Path) -> None:
    def with_more(folder: Path) -> RunRecord:
        (folder / store.WEIGHTS).write_bytes(b"weights")
        (folder / store.LISTS).write_bytes(b"lists")
        return fill(folder)

    run = store.write(tmp_path / "runs", CONFIG, "abc", with_more)
    copy = store.open_run(store.keep(run, tmp_path / "kept", store.LISTS))
    assert copy.record == run.record
    assert {path.name for path in copy.folder.iterdir()} == {*store.EVIDENCE, store.LISTS, store.RECORD}
    assert {path.name for path in store.keep(copy, tmp_path / "less").iterdir()} == {*store.EVIDENCE, store.RECORD}
    with pytest.raises(InputError, match="weights.safetensors: is missing"):
        store.find(tmp_path / "kept", "abc")
    with pytest.raises(InputError, match="weights.safetensors: is missing"):
        store.keep(copy, tmp_path / "more", store.WEIGHTS)
    assert store.keep(copy, tmp_path / "kept") == copy.folder
    assert store.keep(run, tmp_path / "kept") == copy.folder
    assert (copy.folder / store.LISTS).exists()
    (copy.folder / store.RECORD).write_text("another run's")
    assert not (store.keep(run, tmp_path / "kept") / store.LISTS).exists()


def test_a_copy_that_fails_leaves_the_one_before_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.write(tmp_path / "runs", CONFIG, "abc", fill)
    copy = store.keep(run, tmp_path / "kept")
    monkeypatch.setattr(
        "harness.folders.shutil.copy2", lambda _, path: path.write_text("half") and path / "x" / "y" / 0
    )
    with pytest.raises(TypeError):
        store.keep(run, tmp_path / "kept")
    assert store.open_run(copy).record == run.record


def test_identity_depends_on_every_setting_and_input() -> None:
    inputs = {"ratings.csv": "0" * 64}
    same = store.identity(RunConfig.model_validate(yaml.safe_load(yaml.safe_dump(CONFIG.model_dump()))), dict(inputs))
    assert store.identity(CONFIG, inputs) == same
    other = [
        store.identity(CONFIG.model_copy(update={"seed": 2}), inputs),
        store.identity(CONFIG.model_copy(update={"settings": {"lr": 0.2}}), inputs),
        store.identity(CONFIG, {"ratings.csv": "1" * 64}),
    ]
    assert len({same, *other}) == 4


def test_a_probed_run_is_there_for_those_who_ask_for_it(tmp_path: Path) -> None:
    written = store.write(tmp_path, CONFIG.model_copy(update={"probe": "order:reversed"}), "abc", fill)
    assert written.folder.name == "toy-made-up-smoke-seed1-order-reversed-abc"
    found = store.find(tmp_path, "abc")
    assert found is not None
    assert found.config.probe == "order:reversed"
    assert store.all_runs(tmp_path) == []
    assert store.all_runs(tmp_path, probed=True) == [written]


def test_weights_that_a_copy_left_out_are_asked_for_by_name(tmp_path: Path) -> None:
    def with_weights(folder: Path) -> RunRecord:
        save_file({"bias": torch.ones(2)}, folder / store.WEIGHTS)
        return fill(folder)

    assert store.write(tmp_path, CONFIG, "none", fill).weights() == {}
    run = store.write(tmp_path, CONFIG, "some", with_weights)
    assert run.weights()["bias"].tolist() == [1, 1]
    (run.folder / store.WEIGHTS).unlink()
    with pytest.raises(InputError, match="weights.safetensors: was left out of this copy"):
        run.weights()


def test_the_record_lists_the_digest_of_every_other_file(tmp_path: Path) -> None:
    folder = store.write(tmp_path, CONFIG, "abc", fill).folder
    files = json.loads((folder / "run.json").read_text())["files"]
    assert files == {p.name: sha256_of(p) for p in folder.iterdir() if p.name != "run.json"}


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1", b"query,rank\n1,2\n"])
def test_outcomes_that_are_no_parquet_are_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outcomes.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match="expected columns query, rank, ties, asked") as error:
        outcome_file.read(path)
    assert "\n" not in str(error.value)


def test_of_copies_of_a_run_the_fullest_counts(tmp_path: Path) -> None:
    made = store.write(tmp_path / "runs", CONFIG, "abc", fill)
    for name in ("aaa", "zzz"):
        copy = shutil.copytree(made.folder, tmp_path / "runs" / name / made.folder.name)
        (Path(copy) / store.LISTS).unlink()
    assert [run.folder for run in store.all_runs(tmp_path / "runs")] == [made.folder]


def test_two_runs_of_one_configuration_are_no_copies(tmp_path: Path) -> None:
    store.write(tmp_path / "one", CONFIG, "abc", fill)
    store.write(tmp_path / "two", CONFIG, "abc", lambda folder: fill(folder).model_copy(update={"wall_s": 9.0}))
    with pytest.raises(InputError, match="two/.*: made apart from .*one/.* in one configuration"):
        store.all_runs(tmp_path)


def test_a_run_is_found_by_its_whole_identity(tmp_path: Path) -> None:
    store.write(tmp_path, CONFIG, "abc", fill)
    assert store.find(tmp_path, "abc")
    assert store.find(tmp_path, "seed1-abc") is None
    assert store.find(tmp_path, "bc") is None


@pytest.mark.parametrize("text", ["system: 7\n", "[", "\xff"])
def test_a_config_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    folder = store.write(tmp_path, CONFIG, "abc", fill).folder
    (folder / "config.yaml").write_bytes(text.encode("latin-1"))
    record = RunRecord.model_validate_json((folder / "run.json").read_text())
    files = record.files | {"config.yaml": sha256_of(folder / "config.yaml")}
    (folder / "run.json").write_text(record.model_copy(update={"files": files}).sealed().model_dump_json())
    with pytest.raises(InputError, match=r"config.yaml: not the config of a run of this harness \(.+\); move") as error:
        store.open_run(folder)
    assert "\n" not in str(error.value)


def test_a_run_was_computed_where_it_was_asked_for() -> None:
    hardware = {"gpu": "NVIDIA H200", "processor": "AMD EPYC", "threads": 2}
    record = bare_record().model_copy(update={"hardware": hardware})
    on = {device: CONFIG.model_copy(update={"device": device}) for device in ("cpu", "cuda")}
    machines = {device: store.Run(Path("none"), config, record).machine for device, config in on.items()}
    assert machines == {"cpu": "AMD EPYC, 2 threads", "cuda": "NVIDIA H200"}
    assert store.Run(Path("none"), on["cuda"], bare_record()).machine == "unknown, ? threads"
