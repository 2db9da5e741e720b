from pathlib import Path
from typing import Any

import pytest

from harness import released, reproduce
from harness.config import RunConfig
from harness.home import Home
from harness.record import FitRecord
from harness.resolve import resolve
from harness.store import Run
from tests.made_runs import make_run

SET = "ml-latest-small"


def config(seed: int = 42, dataset: str = SET, **changes: Any) -> RunConfig:
    return resolve("llamarec", dataset, "cpu", seed, "cpu", {"adapter": "released"} | changes)


def kept(runs: Path, prompts: int, seed: int = 42, weights: bool = True, **settings: Any) -> Run:
    tuned, fit = config(adapter=None, prompts=prompts, **settings), FitRecord(notes={"prompts_seen": prompts})
    return make_run(
        runs, "llamarec", [1], seed=seed, settings=tuned.settings, task=tuned.task, weights=weights, fit=fit
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", released=tmp_path / "kept")


def adapter(asked: RunConfig, home: Home) -> object:
    return released.settle(asked, home).settings["adapter"]


def test_the_longest_tuned_that_fits_is_taken_with_its_settings(home: Home) -> None:
    assert home.released
    few, more = (kept(home.released, prompts, learning_rate=3e-4) for prompts in (300, 500))
    for other in ({"weights": False}, {"seed": 43}, {"backbone": "tiny"}, {"task.exclude": "none"}):
        kept(home.released, 900, **other)
    settled = released.settle(config(score_batch=9), home)
    assert settled.settings == more.config.settings | {"adapter": more.record.run, "score_batch": 9}
    assert settled.model_copy(update={"settings": {}}) == config().model_copy(update={"settings": {}})
    assert adapter(config(prompts=300), home) == few.record.run
    assert released.settle(settled, home) == settled


@pytest.mark.parametrize(
    "changes", [{"seed": 44}, {"dataset": "ml-100k"}, {"train_candidates": "retrieved"}, {"task.same_time": "shuffled"}]
)
def test_where_none_fits_it_tunes_as_the_profile_does(home: Home, changes: dict[str, Any]) -> None:
    assert home.released
    kept(home.released, 500)
    assert adapter(config(), home)
    assert released.settle(config(**changes), home) == config(**changes, adapter=None)


def test_a_wheel_and_who_asks_for_none_tune(home: Home) -> None:
    assert home.released
    kept(home.released, 500)
    assert released.settle(config(adapter=None), home) == config(adapter=None)
    assert adapter(config(), Home(home.root)) is None


def test_a_plan_knows_the_run_that_took_it(home: Home) -> None:
    assert home.released
    tuned = kept(home.released, 500)
    (target,) = reproduce.parse_targets(["llamarec:1"])

    def cached() -> list[str | None]:
        planned = reproduce.plan(
            target, {"ML-100k": SET}, "cpu", [42], "cpu", home, ["LlamaRec"], {"adapter": "released"}
        )
        return [each.cached for each in planned if each.config.system == "llamarec"]

    assert cached() == [None]
    settled = released.settle(config(), home)
    taken = make_run(home.runs, "llamarec", [1], profile="cpu", settings=settled.settings, task=settled.task)
    assert (taken.config.settings["adapter"], cached()) == (tuned.record.run, [taken.record.run])
