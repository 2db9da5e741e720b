"""Which commits a run names when its training was stopped and went on at another."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import baselines  # noqa: F401  registers the systems
from harness import columns, parts, run
from harness.home import Home
from harness.parts import Part
from harness.resolve import resolve
from harness.store import Run
from tests.worlds import prepared_folder, random_histories

Train = Callable[[Sequence[Part]], Run]


class KilledError(Exception):
    pass


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Trains at one commit after the other: all but the last are killed behind their first validation."""
    films = prepared_folder(tmp_path / "films", random_histories(20, 9))
    few = {"max_steps": 50, "validate_every": 10, "width": 8}
    config = resolve("lrurec", str(films), "smoke", 1, "cpu", few)

    def kill(line: str) -> None:
        if "step " in line:
            raise KilledError

    def train(commits: Sequence[Part]) -> Run:
        home = Home(tmp_path / "home")
        for commit in commits[:-1]:
            monkeypatch.setattr("harness.environment.commit", lambda commit=commit: commit)
            with pytest.raises(KilledError):
                run.execute(config, home, "", kill)
            for lost in home.work.glob(f"*/{parts.FILE}") if commit[0] == "lost" else ():
                lost.unlink()
        monkeypatch.setattr("harness.environment.commit", lambda: commits[-1])
        return run.execute(config, home, "", lambda line: None)[0]

    return train


CLEAN, DIRTY, NEW, LOST, NONE = ("aaa", False), ("bbb", True), ("ccc", False), ("lost", False), (None, None)


@pytest.mark.parametrize(
    ("commits", "earlier", "dirty"),
    [
        ([NEW], (), False),
        ([CLEAN, NEW], ("aaa",), False),
        ([NEW, NEW], (), False),
        ([CLEAN, DIRTY, CLEAN, NEW], ("aaa", "bbb"), True),
        ([LOST, NEW], ("unknown",), False),
        ([NONE, NONE], (), None),
        ([NONE, NEW], ("unknown",), False),
    ],
)
def test_a_resumed_run_names_every_commit(
    trained: Train, commits: list[Part], earlier: tuple[str, ...], dirty: bool
) -> None:
    found = trained(commits).record
    assert found.resumed == (len(commits) > 1)
    assert (found.earlier_commits, found.git_sha, found.dirty) == (earlier, commits[-1][0], dirty)


def test_a_cell_names_them_too(trained: Train) -> None:
    found = columns.provenance([trained([DIRTY, CLEAN, NEW])])
    assert (found["commits"], found["dirty"]) == (("aaa", "bbb", "ccc"), True)


def test_a_training_begun_anew_forgets_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for commit in (CLEAN, NEW):
        monkeypatch.setattr("harness.environment.commit", lambda commit=commit: commit)
        parts.enter(tmp_path)
    assert parts.earlier(tmp_path) == [NEW]
