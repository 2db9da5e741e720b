from pathlib import Path

import pytest

from harness import home
from harness.errors import InputError


def test_a_home_and_a_mirror_must_be_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="--home .*file: is a file or lies in one"):
        home.resolve(file)
    monkeypatch.setenv("LLMREC_MIRROR", str(tmp_path / "none"))  # for `harness doctor` to find out
    assert home.resolve(tmp_path).mirror == tmp_path / "none"
    for mirror in (file, tmp_path / "none"):
        with pytest.raises(InputError, match=f"--mirror {mirror}: is no folder"):
            home.resolve(tmp_path, mirror)
    assert home.resolve(tmp_path, tmp_path).mirror == tmp_path
