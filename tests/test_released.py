from pathlib import Path
from typing import Any

import pytest

from harness import released, reproduce
from harness.config import Probe, RunConfig
from harness.errors import InputError
from harness.evidence import choose
from harness.home import Home
from harness.record import FitRecord
from harness.resolve import changed, follows, resolve, took_released
from harness.store import Run
from tests.made_runs import RATINGS, SMOL, make_run

SET = "ml-latest-small"


def config(seed: int = 42, dataset: str = SET, **changes: Any) -> RunConfig:
    return resolve("llamarec", dataset, "cpu", seed, "cpu", changes)


def kept(runs: Path, prompts: int, seed: int = 42, weights: bool = True, **settings: Any) -> Run:
    fit, lists = settings.pop("fit", FitRecord(notes={"prompts_seen": prompts})), settings.pop("retriever", None)
    tuned = config(adapter=None, prompts=prompts, **settings)
    more = {"settings": tuned.settings, "task": tuned.task, "weights": weights, "retriever": lists}
    return make_run(runs, "llamarec", [1], seed=seed, fit=fit, model=SMOL, **more)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", released=tmp_path / "kept")


def adapter(asked: RunConfig, home: Home) -> object:
    return released.settle(asked, home).settings["adapter"]


def test_the_longest_tuned_that_fits_is_taken_with_its_settings(home: Home) -> None:
    assert home.released
    _, more = (kept(home.released, prompts, learning_rate=3e-4) for prompts in (300, 500))
    for other in ({"weights": False}, {"seed": 43}, {"backbone": "tiny"}, {"task.exclude": "none"}):
        kept(home.released, 900, **other)
    make_run(home.released, "title-generator", [1], settings=more.config.settings, weights=True, fit=more.record.fit)
    kept(home.released, 900, fit=FitRecord())
    probed = {"settings": more.config.settings, "task": more.config.task, "weights": True, "model": SMOL}
    seen = FitRecord(notes={"prompts_seen": 900})
    make_run(home.released, "llamarec", [1], probe="permute-ids", fit=seen, **probed)
    settled = released.settle(config(score_batch=9), home)
    took = f"released:{more.record.run}"
    assert settled.settings == more.config.settings | {"adapter": took, "score_batch": 9}
    assert settled.model_copy(update={"settings": {}}) == config().model_copy(update={"settings": {}})
    assert adapter(config(prompts=499), home) == took
    assert [adapter(config(prompts=spent), home) for spent in (500, 900, None)] == [None] * 3
    kept(home.released, 300, epochs=5)
    assert [adapter(config(prompts=spent, epochs=5), home) is None for spent in (59, 60)] == [False, True]
    assert released.settle(settled, home) == settled
    found = [released.find(name, home) for name in (took, more.record.run, "*", "")]
    assert [run and run.record.run for run in found] == [more.record.run, more.record.run, None, None]


@pytest.mark.parametrize(
    "changes", [{"seed": 44}, {"dataset": "ml-100k"}, {"train_candidates": "retrieved"}, {"task.same_time": "shuffled"}]
)
def test_where_none_fits_it_tunes_as_the_profile_does(home: Home, changes: dict[str, Any]) -> None:
    assert home.released
    kept(home.released, 500)
    assert adapter(config(), home)
    assert released.settle(config(**changes), home) == config(**changes, adapter=None)


def test_one_tuned_on_other_data_or_weights_of_the_same_name_is_passed_over(home: Home) -> None:
    assert home.released
    took = f"released:{kept(home.released, 500).record.run}"
    right = {RATINGS.name: RATINGS.sha256, "backbone": SMOL.sha256}
    for wrong in ({RATINGS.name: "0"}, {"backbone": "0"}, {"another": "0"}):
        assert released.settle(config(), home, right | wrong).settings["adapter"] is None
    assert released.settle(config(), home, right).settings["adapter"] == took


def test_a_run_from_before_there_was_a_key_is_taken_with_all_of_them(home: Home) -> None:
    assert home.released
    early = config(adapter=None, prompts=500)
    del early.settings["until_retriever"]
    fit = FitRecord(notes={"prompts_seen": 500})
    made = {"settings": early.settings, "task": early.task, "weights": True, "fit": fit, "model": SMOL}
    make_run(home.released, "llamarec", [1], **made)
    settled = released.settle(config(), home).settings
    assert settled == early.settings | {"until_retriever": False, "adapter": settled["adapter"]}
    assert settled["adapter"]


@pytest.mark.parametrize("probe", ["permute-ids", "label-blind"])
def test_a_probe_of_training_tunes(home: Home, probe: Probe) -> None:
    assert home.released
    kept(home.released, 500)
    assert adapter(config().model_copy(update={"probe": probe}), home) is None


def test_an_adapter_named_by_hand_is_not_the_profiles_own(home: Home) -> None:
    assert home.released
    tuned = kept(home.released, 500)
    by_hand = tuned.config.settings | {"adapter": tuned.record.run}
    named = config().model_copy(update={"settings": by_hand})
    assert (took_released(named), follows(named, "cpu")) == (False, False)
    here = make_run(home.runs, "llamarec", [1], profile="cpu", settings=config(adapter=None).settings)
    taken = make_run(home.runs, "llamarec", [1], profile="cpu", settings=by_hand)
    assert choose([here, taken], "llamarec", [SET]) == ((here,), 2)


def test_an_adapter_that_is_gone_is_asked_for_and_not_tuned_in_silence(home: Home) -> None:
    assert home.released
    lists = make_run(home.released, "lrurec", [1])
    tuned = kept(home.released, 500, retriever=lists)
    (tuned.folder / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"weights.safetensors: is missing; restore the kept adapter"):
        released.settle(config(), home)
    assert released.settle(config(seed=43), home) == config(seed=43, adapter=None)


def test_a_wheel_and_who_asks_for_none_tune(home: Home) -> None:
    assert home.released
    kept(home.released, 500)
    assert released.settle(config(adapter=None), home) == config(adapter=None)
    assert released.settle(resolve("lrurec", SET, "cpu", 42, "cpu"), home).system == "lrurec"
    assert adapter(config(), Home(home.root)) is None


def test_a_plan_knows_the_run_that_took_it(home: Home) -> None:
    assert home.released
    tuned = kept(home.released, 500)
    (target,) = reproduce.parse_targets(["llamarec:1"])

    def planned(changes: dict[str, None] | None = None) -> reproduce.Planned:
        found = reproduce.plan(target, {"ML-100k": SET}, "cpu", [42], "cpu", home, ["LlamaRec"], changes)
        return next(each for each in found if each.config.system == "llamarec")

    made_here = make_run(home.runs, "llamarec", [1], profile="cpu", settings=config(adapter=None).settings, wall_s=480)
    assert (planned().cached, planned().estimate_s) == (None, None)
    settled = released.settle(config(), home)
    asked = {"settings": settled.settings, "task": settled.task}
    taken = make_run(home.runs, "llamarec", [1], profile="cpu", wall_s=70, **asked)  # type: ignore[arg-type]
    took = f"released:{tuned.record.run}"
    assert (taken.config.settings["adapter"], planned().cached) == (took, taken.record.run)
    assert (planned().estimate_s, planned({"adapter": None}).estimate_s) == (70, made_here.record.wall_s)
    assert (follows(taken.config, "cpu"), changed(taken.config)) == (True, {})


def test_a_plan_of_variants_tunes_both_sides_where_a_change_is_one_of_tuning(home: Home) -> None:
    assert home.released
    kept(home.released, 500)
    (target,) = reproduce.parse_targets(["llamarec:variants"], whole=False)
    planned = reproduce.plan(target, {"ML-100k": SET}, "cpu", [42], "cpu", home, ["LlamaRec"])
    asked = [each.config for each in planned]
    assert [(each.settings["adapter"], each.probe, each.settings["loss_on"]) for each in asked] == [
        ("released", None, "answer"),
        (None, None, "answer"),
        ("released", "order:shuffled", "answer"),
        (None, None, "prompt"),
        (None, "order:shuffled", "answer"),
        (None, None, "answer"),
        (None, "order:shuffled", "answer"),
    ]
    assert [each.settings["train_candidates"] for each in asked] == ["random"] * 5 + ["retrieved"] * 2


def test_of_several_seeds_all_take_an_adapter_or_none_does(home: Home) -> None:
    assert home.released
    kept(home.released, 500)
    (target,) = reproduce.parse_targets(["llamarec:1"])

    def adapters(seeds: list[int]) -> list[str | None]:
        planned = reproduce.plan(target, {"ML-100k": SET}, "cpu", seeds, "cpu", home, ["LlamaRec"])
        return [each.config.settings["adapter"] for each in planned if each.config.system == "llamarec"]

    assert (adapters([42]), adapters([42, 43]), adapters([43])) == (["released"], [None, None], [None])
    kept(home.released, 500, seed=43)
    assert adapters([42, 43]) == ["released", "released"]


def test_a_figure_compares_ways_to_rank_that_were_tuned_alike(home: Home) -> None:
    assert home.released
    kept(home.released, 500)
    (target,) = reproduce.parse_targets(["llamarec:figure3"])
    planned = reproduce.plan(target, {"ML-100k": SET}, "cpu", [42], "cpu", home)
    assert {(each.config.settings["adapter"], each.config.settings["prompts"]) for each in planned} == {
        (None, 104),
        ("llamarec", 104),
        ("title-generator", 104),
    }


def test_seeds_of_released_adapters_are_one_configuration_and_come_before_one_tuned_here(home: Home) -> None:
    assert home.released
    runs = []
    for seed in (42, 43):
        kept(home.released, 500, seed=seed)
        asked = released.settle(config(seed), home)
        runs.append(make_run(home.runs, "llamarec", [1], profile="cpu", seed=seed, settings=asked.settings))
    here = [
        make_run(home.runs, "llamarec", [1], profile="cpu", seed=seed, settings=config(adapter=None).settings)
        for seed in (42, 43, 44)
    ]
    assert choose([*runs, *here], "llamarec", [SET]) == (tuple(runs), 2)
    assert choose(here, "llamarec", [SET]) == (tuple(here), 1)
