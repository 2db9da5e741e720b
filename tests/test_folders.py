import os
from pathlib import Path
from threading import Event, Thread

import pytest

from harness.folders import below, write_whole


def test_files_at_any_depth_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/run.json", "a/x/run.json", "a/other.json", ".c.unfinished/run.json", "a/.run.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert below(tmp_path, "run.json") == [tmp_path / "a/x/run.json", tmp_path / "b/run.json"]
    assert below(tmp_path, "*.json")[0] == tmp_path / "a/other.json"
    assert below(tmp_path / "none", "*") == []


def test_a_folder_that_is_renamed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/run.json").touch()
    hidden, shown, done = tmp_path / ".x.unfinished", tmp_path / "x", Event()
    hidden.mkdir()

    def rename() -> None:
        while not done.is_set():
            shown.rename(hidden) if shown.exists() else hidden.rename(shown)

    thread = Thread(target=rename)
    thread.start()
    try:
        for _ in range(2000):
            assert below(tmp_path, "run.json") == [tmp_path / "kept/run.json"]
    finally:
        done.set()
        thread.join()


def test_what_could_not_be_written_to_the_disk_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = write_whole(tmp_path / "kept.json", "before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "after")
    assert path.read_text() == "before"
