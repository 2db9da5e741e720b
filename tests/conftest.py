"""The command line and a small data set, for tests that go the whole way."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.command_line import Harness
from tests.worlds import prepared_folder, random_histories

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Harness:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LLMREC_MIRROR", raising=False)
    return Harness(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_folder(tmp_path_factory.mktemp("data") / "films", random_histories(60, 40))
