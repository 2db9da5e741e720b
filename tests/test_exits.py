"""Every error is one line that names what is wrong, and an exit status: 2 bad input, 1 failed work, 130 interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import data, store
from harness.errors import WorkError
from tests.command_line import Harness, as_ml_100k
from tests.killed import harness_until


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "lrurek", "--dataset", "ml-100k"], "system 'lrurek' is unknown"),
        (["run", "lrurec", "--dataset", "ml-1000k"], "ml-1000k"),
        (["run", "lrurec", "--dataset", "ml-100k", "--profile", "quick"], "profile 'quick' is unknown"),
        (
            ["run", "lrurec", "--dataset", "ml-100k", "--set", "dropot=1"],
            "setting 'dropot': lrurec has none of that name",
        ),
        (["run", "lrurec", "--dataset", "ml-100k", "--task", "pointwise"], "task: name"),
        (["run", "llamarec", "--dataset", "FILMS", "--retriever", "0123"], "--retriever 0123: no such run"),
        (
            ["run", "llamarec", "--dataset", "FILMS", "--profile", "smoke", "--set", "task.candidates=39"],
            "would fit",
        ),
        (["run", "popularity", "--dataset", "FILMS", "--grid"], "popularity has no grid"),
        (
            ["run", "lrurec", "--dataset", "FILMS", "--grid", "--set", "dropout=0.1", "--set", "weight_decay=0"],
            "--grid: nothing is left to search; leave out --set dropout",
        ),
        (
            ["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1,0.2", "--set", "dropout=0.1"],
            "--search dropout: --set fixes it",
        ),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1,1.5"], "settings of lrurec: dropout: Input"),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropot=0.1,0.2"], "setting 'dropot': lrurec has none"),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1"], "dropout=0.1: expected KEY=NUMBER,NUM"),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1,a"], "dropout=0.1,a: expected KEY=NUMBER"),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1,0.1"], "0.1,0.1: expected KEY=NUMBER"),
        (["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=NaN,0.1"], "settings of lrurec: dropout: Input"),
        (
            ["run", "lrurec", "--dataset", "FILMS", "--search", "dropout=0.1,0.2", "--search", "dropout=0.3,0.4"],
            "--search dropout: is given twice",
        ),
        (
            ["run", "llamarec", "--dataset", "FILMS", "--set=adapter=0123", "--search", "learning_rate=1e-3,1e-2"],
            "adapter=0123: nothing is tuned with one",
        ),
        (["run", "din", "--dataset", "FILMS"], "system din cannot do task next-item; it can do: candidates"),
        (["reproduce", "llamarek"], "paper 'llamarek' is unknown"),
        (["reproduce", "llamarec:9"], "llamarec:9: no such table; known: 1, 2, 3, 4"),
        (["reproduce", "llamarec", "--datasets", "Toys"], "data set 'Toys' is not in the paper's tables asked for"),
        (["reproduce", "llm-trsr:figure9", "--datasets", "Amazon-M2"], "data set 'Amazon-M2' is not in the paper's"),
        (["reproduce", "llamarec", "--systems", "p5x"], "system 'p5x' is not in the paper's tables asked for"),
        (["reproduce", "llamarec", "--seeds", "4,x"], "--seeds '4,x'"),
        (["report", "llamarec", "--runs", "no/such"], "no/such: no such folder"),
        (["report", "llamarec", "--format", "pdf"], "format 'pdf' is unknown"),
        (["report", "llamarec", "--estimator", "median"], "median"),
        (["fetch", "ml-20m"], "'ml-20m' is neither a data set nor a backbone"),
        (["list", "authors"], "authors"),
        (["run", "lrurec", "--dataset", "FILMS", "--device", "tpu"], "--device tpu: expected cpu or cuda"),
        (["run", "lrurec", "--dataset", "FILMS", "--home", "FILMS/items.tsv"], "expected a folder"),
        (["run", "lrurec", "--dataset", "FILMS", "--retriever", "*"], "--retriever *: no such run"),
        (["run", "llamarec", "--dataset", "FILMS", "--set", "retriever=llamarec"], "is a re-ranker itself"),
        (["reproduce", "llamarec", "--systems", ""], "--systems '': names nothing"),
        (["reproduce", "llamarec", "--out", "FILMS/items.tsv"], "is a file or lies in one; expected a folder"),
        (["report", "--runs", "FILMS", "--out", "FILMS/items.tsv/x"], "is a file or lies in one; expected a folder"),
        (["run", "--wrong"], "No such option"),
        (
            ["run", "llamarec", "--dataset", "FILMS", "--backbone", "tiny", "--set", "backbone=smollm2-135m"],
            "--set backbone=smollm2-135m: backbone is set to tiny already; leave one of them out",
        ),
        (
            ["run", "lrurec", "--dataset", "FILMS", "--set", "dropout=0.1", "--set", "dropout=0.2"],
            "--set dropout=0.2: dropout is set to 0.1 already",
        ),
        (["reproduce", "llamarec:1", "--backbone", "smollm-135m"], "backbone 'smollm-135m' is unknown; known: "),
        (
            ["reproduce", "--from-reference", "--dry-run"],
            "scores what is kept as it is; leave out --dry-run",
        ),
        (["reproduce", "--from-reference", "--seeds", "43"], "scores what is kept as it is; leave out --seeds"),
        (["run", "llamarec", "--dataset", "FILMS", "--set", "adapter="], "settings of llamarec: adapter: "),
        (["reproduce", "--from-reference", "--systems", "lrurek"], "system 'lrurek' is not in the paper's"),
        (
            ["reproduce", "--from-reference", "--systems", "lrurec"],
            "no re-ranker's run of what is asked for is kept with its adapter under",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(
    harness: Harness, films: Path, arguments: list[str], message: str
) -> None:
    status, out, error = harness(*[argument.replace("FILMS", str(films)) for argument in arguments])
    assert status == 2
    assert out == ""
    assert message in error
    assert "Traceback" not in error


def test_a_traceback_only_with_debug(harness: Harness) -> None:
    assert "Traceback" in harness("run", "lrurek", "--dataset", "ml-100k", "--debug")[2]


def test_a_full_disk_is_one_line_and_exit_status_1(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(harness.home))

    monkeypatch.setattr("harness.outcomes.write", full)
    status, _, error = harness("run", "popularity", "--dataset", str(films))
    assert (status, error.splitlines()[-1]) == (
        1,
        f"error: {harness.home}: No space left on device; free some space, or name another folder by --home",
    )
    assert store.all_runs(harness.home / "runs") == []


def test_an_interrupted_run_says_so_and_exits_130(films: Path, tmp_path: Path) -> None:
    asked = ["run", "lrurec", "--dataset", str(films), "--profile", "smoke", "--home", str(tmp_path)]
    said = harness_until("harness.checkpoint:save", 1, *asked, by=signal.SIGINT)
    assert said.splitlines()[-1] == "error: interrupted; run again to resume"


def test_an_interrupt_while_a_string_is_executed_exits_130_too(tmp_path: Path) -> None:
    """As while a dataclass is made; CPython would else end the process by the signal."""
    interrupted = (
        "import harness.cli as c\nfrom harness.__main__ import main\n"
        "def app(**_): exec('raise KeyboardInterrupt')\nc.app = app\nmain()"
    )
    (tmp_path / "interrupted.py").write_text(interrupted)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[1]}"}
    found = subprocess.run([sys.executable, "-m", "interrupted"], env=environment, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (130, "error: interrupted; run again to resume\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("no\nmemory"), "error: RuntimeError: no memory (--debug shows where)"),
        (PermissionError(13, "Permission denied", "/x"), "error: /x: Permission denied"),
    ],
)
def test_any_other_error_is_one_line_and_exit_status_1(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("harness.doctor.examine", fail)
    assert harness("doctor") == (1, "", f"{line}\n")


def test_data_that_no_source_has_is_failed_work(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(name: str, *_: object) -> None:
        raise WorkError(f"{name}: no source gave it")

    as_ml_100k(films, monkeypatch)
    monkeypatch.setattr(data, "fetch", fetch)
    status, out, error = harness("reproduce", "llamarec:1", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert (status, "no source has the data of ML-100k; see above" in error) == (1, True)
    assert "not run" in out
