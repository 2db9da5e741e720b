"""The command line, called in the tests' own process."""

import json
import sys
from pathlib import Path

import pytest

from harness import cli


class Harness:
    """The command line in this process, with a home of its own."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert isinstance(stop.value.code, int)
        return (stop.value.code, *self.capsys.readouterr())

    def run(self, system: str, data: Path, *more: str) -> dict[str, object]:
        status, out, error = self("run", system, "--dataset", str(data), "--profile", "smoke", "--json", *more)
        assert status == 0, error
        return json.loads(out)
