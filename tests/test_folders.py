import os
from pathlib import Path

import pytest

from harness.folders import below, write_whole


def test_files_at_any_depth_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/run.json", "a/x/run.json", "a/other.json", ".c.unfinished/run.json", "a/.run.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert below(tmp_path, "run.json") == [tmp_path / "a/x/run.json", tmp_path / "b/run.json"]
    assert below(tmp_path, "*.json")[0] == tmp_path / "a/other.json"
    assert below(tmp_path / "none", "*") == []


def test_a_folder_that_is_renamed_meanwhile_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kept", "x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").touch()
    scandir = os.scandir

    def after_a_rename(folder: Path) -> object:
        if Path(folder) == tmp_path / "x":
            (tmp_path / "x").rename(tmp_path / ".x.unfinished")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", after_a_rename)
    assert below(tmp_path, "run.json") == [tmp_path / "kept/run.json"]
    assert (tmp_path / ".x.unfinished").exists()


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
