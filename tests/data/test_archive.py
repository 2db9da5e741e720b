import zipfile
from pathlib import Path

import pytest

from harness.data.archive import copy_member
from harness.errors import WorkError


def test_reads_one_member_and_no_hostile_neighbour(tmp_path: Path) -> None:
    archive, inner = tmp_path / "a" / "hostile.zip", tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../evil.txt", "evil")
        made.writestr("/tmp/evil.txt", "evil")
        made.writestr("good.txt", "good")
    copy_member(archive, "good.txt", inner / "out")
    assert (inner / "out").read_text() == "good"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "hostile.zip", "out"]


def test_names_a_missing_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("one", "1")
    with pytest.raises(WorkError, match="no member 'two'"):
        copy_member(tmp_path / "a.zip", "two", tmp_path / "out")


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b[:60] + bytes(40) + b[100:], lambda b: b"<html>"])
def test_refuses_a_damaged_archive(tmp_path: Path, damage) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("one", bytes(range(256)) * 9)
    (tmp_path / "a.zip").write_bytes(damage((tmp_path / "a.zip").read_bytes()))
    with pytest.raises(WorkError, match="not a whole zip archive"):
        copy_member(tmp_path / "a.zip", "one", tmp_path / "out")
