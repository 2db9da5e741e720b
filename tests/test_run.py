import hashlib
import json
import warnings
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import torch
import yaml

import baselines  # noqa: F401  registers the systems
from harness import job, run, store
from harness.config import Retriever
from harness.data.digest import sha256_of
from harness.errors import InputError
from harness.home import Home
from harness.job import Job
from harness.resolve import resolve
from harness.store import Run
from tests.worlds import constant, dataset, prepared_folder, random_histories


def execute(folder: Path, data: str, **changes: object) -> Run:
    config = resolve("popularity", data, "smoke", 1, "cpu", changes)
    return run.execute(config, Home(folder / "home"), "", lambda line: None)[0]


def test_the_order_of_ties_is_fixed_before_the_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tied = replace(dataset([[1, 2, 3, 4], [2, 3, 4]], 5), times=np.array([1, 2, 3, 3, 1, 2, 3]))
    monkeypatch.setattr("harness.run.data.load", lambda *_: tied)
    found = execute(tmp_path, "tied")
    swapped = execute(tmp_path, "tied", **{"task.same_time": "item-reversed"})
    # users train on [1, 2] and [2]; the first one's target is 4 (item 3 is excluded), then 3 (item 4 is excluded)
    assert found.lists("validation")[0].tolist() == swapped.lists("validation")[0].tolist()
    assert set(found.lists("test")[0]) - {0} == {4, 5}
    assert set(swapped.lists("test")[0]) - {0} == {3, 5}
    assert found.record.data_notes == ()
    assert swapped.record.data_notes == ("same_time=item-reversed: the last item of 1 of 2 users depends on it",)
    assert found.record.run != swapped.record.run


def aged(found: Run) -> Run:
    """The run as it would have been kept before a config had the key ``task.same_time``."""
    config = found.config.model_dump(
        mode="json", exclude={"probe": True, "task": {"same_time", "negatives", "test_limit"}}
    )
    inputs = {source.name: source.sha256 for source in found.record.data}
    drawn = json.dumps({"config": config, "inputs": inputs}, sort_keys=True)
    identity = hashlib.sha256(drawn.encode()).hexdigest()[:16]
    folder = found.folder.rename(found.folder.with_name(store.folder_name(found.config, identity)))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    files = found.record.files | {"config.yaml": sha256_of(folder / "config.yaml")}
    record = found.record.model_copy(update={"run": identity, "files": files}).sealed()
    (folder / "run.json").write_text(record.model_dump_json())
    return store.open_run(folder)


def test_a_run_that_was_kept_before_there_was_a_key_is_found_again(tmp_path: Path) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    older = aged(execute(tmp_path, str(films)))
    assert execute(tmp_path, str(films)).record == older.record
    assert execute(tmp_path, str(films), **{"task.exclude": "none"}).record.run != older.record.run
    (films / "items.tsv").write_text((films / "items.tsv").read_text() + "99\tr99\tAnother\n")
    assert execute(tmp_path, str(films)).record.run != older.record.run


def test_ties_of_a_set_without_timestamps_are_refused(tmp_path: Path) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    with pytest.raises(InputError, match=r"films: has no timestamps, so task\.same_time=shuffled means nothing"):
        execute(tmp_path, str(films), **{"task.same_time": "shuffled"})


@pytest.mark.parametrize(("exclude", "seen"), [("window", {3, 4}), ("history", {1, 2, 3, 4}), ("none", set())])
def test_a_run_excludes_what_its_protocol_says(tmp_path: Path, exclude: str, seen: set[int]) -> None:
    films = prepared_folder(tmp_path / "films", [[1, 2, 3, 4, 5], [6, 7, 6]])
    found = execute(tmp_path, str(films), **{"task.exclude": exclude, "task.window": 2})
    assert set(range(1, 8)) - set(found.lists("test")[0]) == seen


@pytest.mark.parametrize("other", ["data", "task", "seed"])
def test_a_retrievers_run_of_another_split_is_refused(tmp_path: Path, other: str) -> None:
    films, more = (
        prepared_folder(tmp_path / name, random_histories(9, 9, seed)) for name, seed in (("a", 1), ("b", 2))
    )
    home = Home(tmp_path / "home")
    wanted = resolve("llamarec", str(films), "smoke", 1, "cpu", {"task.candidates": 3})
    retrieved = resolve(
        "popularity",
        str(more if other == "data" else films),
        "smoke",
        2 if other == "seed" else 1,
        "cpu",
        {"task.candidates": 4 if other == "task" else 3},
    )
    found, _ = run.execute(retrieved, home, "", lambda line: None)
    named = wanted.model_copy(update={"retriever": Retriever(system="popularity", run=found.record.run)})
    with pytest.raises(InputError, match=f"retriever run {found.record.run}: made from other data, task or seed"):
        run.execute(named, home, "", lambda line: None)


def test_wall_time_is_all_of_an_uninterrupted_runs_fitting_and_scoring(tmp_path: Path) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    config = resolve("narm", str(films), "smoke", 1, "cpu")
    found, _ = run.execute(config, Home(tmp_path / "home"), "", lambda line: None)
    timings = json.loads((found.folder / "timings.json").read_text())
    assert found.record.wall_s == timings["fit_s"] + timings["score_s"]
    assert found.record.fit.elapsed_s < timings["fit_s"]


def test_a_validation_is_as_long_as_it_is_asked_to_be(tmp_path: Path) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    job = run._prepare(resolve("popularity", str(films), "smoke", 1, "cpu"), Home(tmp_path / "home"), "", print)
    validate = job.context().validate
    whole = validate(lambda queries: constant(queries, job.dataset.n_items))
    some = validate(lambda queries: constant(queries, job.dataset.n_items), 4)
    assert (len(whole), len(some)) == (9, 4)


def test_a_run_that_is_asked_again_has_its_ties_ordered_as_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tied = replace(dataset([[1, 2, 3, 4], [2, 3, 4]], 5), times=np.array([1, 2, 3, 3, 1, 2, 3]))
    monkeypatch.setattr("harness.run.data.load", lambda *_: tied)
    found = execute(tmp_path, "tied", **{"task.same_time": "item-reversed"})
    again = Job.again(found, tied, Home(tmp_path / "home"), print)
    assert again.split.test.tolist() == [3, 4]


def test_a_run_on_the_processor_has_no_energy_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    monkeypatch.setattr("harness.card.energy_j", count(1.0).__next__)
    monkeypatch.setattr("harness.environment.peak_device_memory_bytes", lambda: 7)
    record = execute(tmp_path, str(films)).record
    assert (record.energy_j, record.peak_device_memory_bytes) == (None, None)


def test_kernels_without_a_deterministic_version_are_recorded_and_other_warnings_are_passed_on() -> None:
    with warnings.catch_warnings(record=True) as passed_on:
        warnings.simplefilter("always")
        with job._collected_warnings() as found:
            warnings.warn("scatter_add does not have a deterministic implementation\nmore", UserWarning, stacklevel=1)
            warnings.warn("disk is slow", UserWarning, stacklevel=1)
            warnings.warn("will go in 9.0", FutureWarning, stacklevel=1)
    assert found == {"scatter_add does not have a deterministic implementation"}
    assert [str(each.message) for each in passed_on] == ["disk is slow"]


def test_a_run_asks_for_deterministic_kernels(tmp_path: Path) -> None:
    torch.use_deterministic_algorithms(False)
    execute(tmp_path, str(prepared_folder(tmp_path / "films", random_histories(9, 9))))
    assert torch.are_deterministic_algorithms_enabled()


def test_who_finds_another_at_a_run_says_so_and_waits(tmp_path: Path) -> None:
    path, said = tmp_path / "run.lock", list[str]()
    told, entered = Event(), Event()

    def tell(line: str) -> None:
        said.append(line)
        told.set()

    def wait() -> None:
        with run.alone(path, tell):
            entered.set()

    thread = Thread(target=wait)
    with run.alone(path, said.append):
        thread.start()
        assert told.wait(60)
        assert not entered.is_set()
    thread.join(60)
    assert entered.is_set()
    assert said == ["another process is making this run; waiting for it"]
