"""The command line, called in the tests' own process."""

import json
import sys
from pathlib import Path

import pytest

from harness import data
from harness.__main__ import main
from harness.papers import paper as papers


class Harness:
    """The command line in this process, with a home of its own."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return (stop.value.code, *self.capsys.readouterr())

    def run(self, system: str, folder: Path, *more: str) -> dict[str, object]:
        status, out, error = self("run", system, "--dataset", str(folder), "--profile", "smoke", "--json", *more)
        assert status == 0, error
        return json.loads(out)


def as_ml_100k(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a folder in the place of LlamaRec's ML-100k."""
    paper = papers.load("llamarec")
    column = paper.datasets["ML-100k"].model_copy(update={"name": str(folder)})
    paper = paper.model_copy(update={"datasets": paper.datasets | {"ML-100k": column}})
    monkeypatch.setattr(papers, "load", lambda name: paper)
    monkeypatch.setattr(data, "fetch", lambda *asked: list(data.load(*asked).sources))
