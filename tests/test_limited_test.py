"""Runs that are asked a sample of the test queries, or by another method than they were tuned for."""

from pathlib import Path

import numpy as np
import pytest

from harness import data, store
from harness.home import Home
from harness.run import inputs
from harness.system import find
from tests.command_line import Harness


def test_a_limited_run_answers_for_a_sample_of_those_it_would_be_asked(harness: Harness, films: Path) -> None:
    whole = store.open_run(Path(str(harness.run("llamarec", films)["folder"])))
    limited = store.open_run(Path(str(harness.run("llamarec", films, "--set=task.test_limit=5")["folder"])))
    everyone, few = whole.outcomes(), limited.outcomes()
    assert (len(few), few.asked.all()) == (5, True)
    assert limited.config.retriever == whole.config.retriever
    assert (limited.record.queries.asked, limited.record.queries.withheld) == (5, 0)
    assert set(few.query) < set(everyone.query[everyone.asked])
    rows = np.searchsorted(everyone.query, few.query)
    assert (few.rank == everyone.rank[rows]).all()
    assert limited.record.run != whole.record.run
    assert limited.record.run not in {run.record.run for run in store.all_runs(whole.folder.parent)}
    assert limited.record.run in {run.record.run for run in store.all_runs(whole.folder.parent, probed=True)}


def test_a_limit_is_of_re_rankers(harness: Harness, films: Path) -> None:
    status, _, error = harness(
        "run", "popularity", "--dataset", str(films), "--profile", "smoke", "--set=task.test_limit=5"
    )
    assert (status, "task.test_limit: is of re-rankers" in error) == (2, True)


def test_a_checkpoint_asked_by_another_method_says_what_it_was_tuned_for(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("--set=task.test_limit=3",)
    tuned = harness.run("llamarec", films)
    own = store.open_run(Path(str(harness.run("title-generator", films, "--set=validate_limit=1", *few)["folder"])))
    assert own.record.fit.notes["tuned_for"] == own.record.fit.notes["written"] == "titles"
    monkeypatch.setattr("baselines.reranker.tune", None)  # whatever trains would fail

    def asked(adapter: object, *choices: str) -> dict[str, object]:
        taken = harness.run("title-generator", films, f"--set=adapter={adapter}", *few, *choices)
        return store.open_run(Path(str(taken["folder"]))).record.fit.notes

    notes = asked(tuned["run"], "--set=output=letters", "--set=constrained=true")
    assert (notes["tuned_for"], notes["written"], notes["candidates_named"]) == ("one letter", "letters", 3 * 20)
    notes = asked("llamarec")
    assert (notes["weights_of_run"], notes["tuned_for"], notes["written"]) == (tuned["run"], "one letter", "titles")
    notes = asked(own.record.run, "--set=constrained=true")
    assert (notes["tuned_for"], notes["written"], notes["weights_of_run"]) == ("titles", "titles", own.record.run)
    status, _, error = harness(
        "run", "llamarec", "--dataset", str(films), "--profile", "smoke", f"--set=adapter={own.record.run}"
    )
    assert (status, "is of title-generator, whose setting constrained llamarec lacks" in error) == (2, True), error
    verb = ("run", "title-generator", "--dataset", str(films), "--profile", "smoke")
    status, _, error = harness(*verb, "--set=adapter=popularity")
    assert (status, "adapter=popularity: tunes none that another system could take" in error) == (2, True), error


def test_an_adapter_named_by_its_system_is_tuned_where_it_is_missing(harness: Harness, films: Path) -> None:
    taken = store.open_run(Path(str(harness.run("title-generator", films, "--set=adapter=llamarec")["folder"])))
    tuned = harness.run("llamarec", films)
    assert (tuned["cached"], taken.record.fit.notes["weights_of_run"]) == (True, tuned["run"])
    by_name, by_run = (
        harness.run("title-generator", films, f"--set=adapter={each}")["run"] for each in ("llamarec", tuned["run"])
    )
    assert by_name == taken.record.run != by_run
    spec, state = find("title-generator"), Home(harness.home)
    digests = inputs(spec, taken.config, data.load(str(films), state, print), state, print)
    assert by_name == store.identity(taken.config, digests | {"adapter": str(tuned["run"])})
