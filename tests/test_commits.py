"""Which commits and machines a run, a cell and a search name when training was stopped and went on at another."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import baselines  # noqa: F401  registers the systems
from harness import checkpoint, columns, commits, environment, grid, run, store
from harness.commits import Commit
from harness.config import RunConfig
from harness.home import Home
from harness.record import RunRecord
from harness.resolve import resolve
from harness.selection import all_selections
from reports.foot import commit as in_the_foot
from tests.worlds import prepared_folder, random_histories

CLEAN, DIRTY, NEW, NONE = ("aaa", False), ("bbb", True), ("ccc", False), (None, None)


class KilledError(Exception):
    pass


@dataclass
class World:
    """Where one thing is trained at one commit after the other."""

    home: Home
    config: RunConfig
    be_at: Callable[[Commit], None]

    def killed_at(self, commit: Commit) -> None:
        """Train until something is kept."""

        def kill(line: str) -> None:
            if "step " in line:
                raise KilledError

        self.be_at(commit)
        with pytest.raises(KilledError):
            run.execute(self.config, self.home, "", kill)

    def finish(self, commit: Commit) -> store.Run:
        """Train to the end."""
        self.be_at(commit)
        return run.execute(self.config, self.home, "", lambda line: None)[0]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    films = prepared_folder(tmp_path / "films", random_histories(20, 9))
    few = {"max_steps": 50, "validate_every": 10, "width": 8}
    config = resolve("lrurec", str(films), "smoke", 1, "cpu", few)
    return World(
        Home(tmp_path / "home"), config, lambda commit: monkeypatch.setattr("harness.commits.here", lambda: commit)
    )


@pytest.mark.parametrize(
    ("killed", "last", "earlier", "dirty", "named"),
    [
        ([], NEW, (), False, ("ccc",)),
        ([CLEAN], NEW, ("aaa",), False, ("aaa", "ccc")),
        ([NEW], NEW, (), False, ("ccc",)),
        ([CLEAN, DIRTY, CLEAN], NEW, ("aaa", "bbb"), True, ("aaa", "bbb", "ccc")),
        ([CLEAN], NONE, ("aaa",), None, ("aaa", "unknown")),
        ([NONE], NONE, (), None, ()),
        ([NONE], NEW, ("unknown",), None, ("unknown", "ccc")),
    ],
)
def test_a_resumed_run_names_every_commit(
    world: World,
    killed: Sequence[Commit],
    last: Commit,
    earlier: tuple[str, ...],
    dirty: bool | None,
    named: tuple[str, ...],
) -> None:
    for commit in killed:
        world.killed_at(commit)
    found = world.finish(last)
    assert found.record.resumed == bool(killed)
    assert (found.record.earlier_commits, found.record.git_sha, found.record.dirty) == (earlier, last[0], dirty)
    assert found.record.commits() == named
    shown = columns.provenance([found])
    assert (shown["commits"], shown["dirty"]) == (tuple(sorted(named)), dirty)
    assert in_the_foot(found) == (", ".join(named) or "unknown") + (" (dirty tree)" if dirty else "")


def test_a_part_of_which_nothing_was_kept_is_not_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise KilledError

    world.killed_at(CLEAN)
    world.be_at(DIRTY)
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", kill)
        with pytest.raises(KilledError):
            run.execute(world.config, world.home, "", lambda line: None)
    assert world.finish(NEW).record.commits() == ("aaa", "ccc")


def test_a_checkpoint_that_names_none_was_trained_at_an_unknown_commit_and_machine(world: World) -> None:
    world.killed_at(CLEAN)
    (path,) = world.home.work.glob(f"*/{checkpoint.FILE}")
    found = checkpoint.load(path.parent)
    assert found is not None
    tensors, state = found
    save_file(tensors, path, {"state": json.dumps(state), "sha256": checkpoint._digest(tensors)})
    record = world.finish(NEW).record
    assert record.commits() == ("unknown", "ccc")
    assert record.earlier_machines == ("unknown",)


def test_a_resumed_run_names_the_other_machines(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for machine in ("one", "two", "three", "two"):
        monkeypatch.setattr("harness.environment.machine", lambda machine=machine: machine)
        world.killed_at(CLEAN)
    assert world.finish(CLEAN).record.earlier_machines == ("one", "three")


def test_an_uninterrupted_run_has_no_other_machine(world: World) -> None:
    assert world.finish(CLEAN).record.earlier_machines == ()


def test_a_machine_is_told_by_its_threads_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    here = environment.machine()
    assert f"{torch.get_num_threads()} threads" in here
    assert f"torch {torch.__version__}" in here
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    assert environment.machine() != here


def test_a_resumed_record_from_before_there_was_the_key_names_an_unknown_commit(world: World) -> None:
    world.killed_at(NEW)
    record = world.finish(NEW).record
    older = RunRecord.model_validate_json(record.model_dump_json(exclude={"earlier_commits"}))
    assert (record.commits(), older.commits()) == (("ccc",), ("unknown", "ccc"))
    assert older.model_copy(update={"resumed": False}).commits() == ("ccc",)


def test_a_search_names_the_commits_and_machines_of_all_its_points(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(report: Callable[[str], None]) -> None:
        values = grid.of_paper(world.config.system, ["weight_decay"])
        grid.search(world.config, values, world.home, "", report)

    def kill(line: str) -> None:
        if "0.3" in line:
            raise KilledError

    world.be_at(CLEAN)
    monkeypatch.setattr("harness.environment.machine", lambda: "another machine")
    with pytest.raises(KilledError):
        search(kill)
    world.be_at(NEW)
    monkeypatch.setattr("harness.environment.machine", lambda: "this machine")
    search(lambda line: None)
    (found,) = all_selections(world.home.runs)
    assert (found.earlier_commits, found.git_sha, found.dirty) == (("aaa",), "ccc", False)
    assert found.earlier_machines == ("another machine",)


def test_a_search_names_the_machine_of_a_point_that_was_a_finished_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.be_at(CLEAN)
    monkeypatch.setattr("harness.environment.processor", lambda: "another processor")
    machine = environment.machine()
    grid.search(world.config, {"dropout": [0.2]}, world.home, "", lambda line: None)
    (searched,) = world.home.runs.glob("*.selection.json")
    searched.unlink()
    monkeypatch.undo()
    world.be_at(CLEAN)
    grid.search(world.config, {"dropout": [0.2]}, world.home, "", lambda line: None)
    (found,) = all_selections(world.home.runs)
    assert found.earlier_machines == (machine,)


def test_one_of_several_that_had_changes_counts_before_one_not_known() -> None:
    assert [commits.worst(each) for each in ([], [False, False], [False, None], [None, True])] == [
        *(False, False, None, True)
    ]


def test_the_present_commit_is_the_checkouts_and_a_change_in_it_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *named, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    monkeypatch.setattr("harness.commits.__file__", str(tmp_path / "harness" / "commits.py"))
    here = commits.here.__wrapped__
    assert here() == (None, None)
    git("init")
    assert here() == (None, None)  # it has no commit yet
    (tmp_path / "file").touch()
    git("add", "file")
    git("commit", "-m", "first")
    assert here() == (git("rev-parse", "HEAD"), False)
    (tmp_path / "file").write_text("changed")
    assert here() == (git("rev-parse", "HEAD"), True)


def test_the_time_of_a_resumed_run_is_that_of_all_its_parts(world: World) -> None:
    world.killed_at(CLEAN)
    found = world.finish(CLEAN)
    record, last = found.record, json.loads((found.folder / "timings.json").read_text())
    assert record.fit.elapsed_s
    assert record.wall_s == record.fit.elapsed_s + last["score_s"]
