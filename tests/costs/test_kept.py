import gc
import json
import os
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.costs import kept as costs
from harness.costs import measurement as cost_measurement
from harness.costs.plan import Point, points
from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, lora, ranking_cost
from harness.llm.lora import LoraConfig
from harness.llm.ranking_cost import METHODS, RankingCost
from harness.resolve import resolve
from tests.made_costs import made_cost
from tests.worlds import dataset

CPU = torch.device("cpu")


def test_a_cost_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made = [made_cost("titles", tokens) for tokens in (5, 10)]
    for each in made:
        costs.write(each, tmp_path / "costs")
    assert sorted(costs.all_costs(tmp_path), key=lambda kept: kept.cost.title_tokens) == made
    assert not list(tmp_path.rglob("*.unfinished"))


def test_another_process_may_write_the_same_cost_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, replace = made_cost(), Path.replace

    def too_late(self: Path, target: Path) -> Path:
        monkeypatch.undo()
        monkeypatch.setattr(os, "getpid", lambda: 0)
        costs.write(made, tmp_path)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", too_late)
    path = costs.write(made, tmp_path)
    assert costs.all_costs(tmp_path) == [made]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_cpu_took_is_not_called_the_gpus_beside_it() -> None:
    beside = made_cost().model_copy(update={"hardware": {"processor": "made up", "threads": 2, "gpu": "a card"}})
    on_cpu = beside.model_copy(update={"device": "cpu"})
    assert beside.machine == beside.model_copy(update={"device": "cuda"}).machine == "a card"
    assert on_cpu.machine == "made up, 2 thread(s)"
    assert len(costs.of_figure("cost", [beside, on_cpu])) == 2


def test_what_one_machine_tuned_takes_no_bare_row_of_another() -> None:
    tuned, bare = made_cost(checkpoint="llamarec of run 0"), made_cost()
    elsewhere = bare.model_copy(update={"hardware": {"processor": "another", "threads": 2}})
    shown = costs.of_figure("cost", [tuned, bare, elsewhere])
    assert [(each.machine, each.cost.bare) for each in shown] == [
        ("made up, 2 thread(s)", False),
        ("another, 2 thread(s)", True),
    ]


def test_a_gpu_beside_a_cpu_is_no_part_of_what_the_cpu_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(device: str, **hardware: object) -> str:
        monkeypatch.setattr("harness.environment.hardware", lambda: {"processor": "p", "threads": 2} | hardware)
        return costs.identity(next(points("cost", "smoke", CPU)), dataset([[1, 2, 3]]), torch.device(device))

    assert named("cpu") == named("cpu", gpu="a card") != named("cuda", gpu="a card")
    assert named("cuda", gpu="a card") != named("cuda", gpu="another")


def test_an_edited_cost_is_refused(tmp_path: Path) -> None:
    path = costs.write(made_cost(), tmp_path)
    document = json.loads(path.read_text())
    document["cost"]["whole"]["timings_ms"][0] = 1.0
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="changed after it was finished; delete it and measure again"):
        costs.all_costs(tmp_path)
    path.write_text("{")
    with pytest.raises(InputError, match="cost.json: not a cost of this harness .*; delete it and measure again"):
        costs.all_costs(tmp_path)


def test_every_profile_measures_the_papers_two_ways_at_every_length() -> None:
    for profile in ("smoke", "cpu", "gpu", "paper"):
        planned = list(points("cost", profile, CPU))
        for named in {(each.backbone, each.quantisation) for each in planned}:
            own = [each for each in planned if (each.backbone, each.quantisation) == named]
            for method in ("verbalizer", "titles"):
                single = [p.title_tokens for p in own if (p.method, p.batch) == (method, 1)]
                assert single == [5, 10, 15, 20, 25, 30, 35, 40]
                assert [p.title_tokens for p in own if (p.method, p.batch) == (method, 16)] == [20] * (
                    profile != "paper"
                )
        assert not [each for each in planned if "compiled" in each.method or "vLLM" in each.method]
    ways = {each.method for each in points("cost", "gpu", torch.device("cuda"))}
    assert {"titles, compiled", "letters, constrained"} <= ways <= set(METHODS)


def test_a_measurement_that_was_stopped_goes_on_with_the_next_point(tmp_path: Path) -> None:
    home, titles = Home(tmp_path / "home"), dataset([[1, 2, 3], [3, 2, 1]])
    wanted = [
        Point("tiny", "none", 1, tokens, 2, 2, method, 1) for tokens in (5, 8) for method in ("verbalizer", "letters")
    ]
    left = costs.missing(wanted, titles, CPU, home)
    assert len(left) == 4
    first = dict(list(left.items())[:3])
    said: list[str] = []
    cost_measurement.measure(first, {}, "llamarec", titles, CPU, home, "typed", said.append)
    assert len([line for line in said if "times the floor" in line]) == 3
    assert costs.missing(wanted, titles, CPU, home) == dict(list(left.items())[3:])
    kept = costs.all_costs(home.runs)
    assert {each.cost.method for each in kept} == {"verbalizer", "letters"}
    assert all(each.cost.candidates == 2 and each.command == "typed" and each.device == "cpu" for each in kept)


def test_a_checkpoint_is_timed_with_its_adapter_in_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, identity, timed, measure = Home(tmp_path / "home"), "a" * 16, [], ranking_cost.measure
    bare, adapted = (backbone.load("tiny", home, CPU) for _ in range(2))
    config = resolve("llamarec", "ml-latest-small", "smoke", 1, "cpu")
    lora.add(adapted, LoraConfig(), seed=1)
    weights = {name: torch.full_like(value, 0.1) for name, value in lora.adapter(adapted.model).items()}
    run = SimpleNamespace(config=config, weights=lambda: weights)

    def spied(llm: backbone.Backbone, *args: Any, **options: Any) -> RankingCost:
        timed.append(llm.model.get_submodule("model.layers.0.self_attn.q_proj").weight)
        return measure(llm, *args, **options)

    monkeypatch.setattr(ranking_cost, "measure", spied)
    point = Point("tiny", "none", 1, 5, 2, 2, "verbalizer", 1, checkpoint=identity)
    asked = ("llamarec", dataset([[1, 2, 3], [3, 2, 1]]), CPU, home, "typed", lambda line: None)
    cost_measurement.measure({"point": point}, {identity: run}, *asked)  # type: ignore[dict-item]
    (kept,), (weight,) = costs.all_costs(home.runs), timed
    before = bare.model.get_submodule("model.layers.0.self_attn.q_proj").weight
    # r 8 rows of 0.1 by 0.1, alpha / r = 4
    torch.testing.assert_close(weight.float(), before.float() + 4 * 8 * 0.1 * 0.1, rtol=0, atol=0.01)
    assert kept.cost.checkpoint == identity


def test_one_backbone_makes_room_before_the_next_and_one_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, titles, load = Home(tmp_path / "home"), dataset([[1, 2, 3], [3, 2, 1]]), backbone.load
    alive: list[weakref.ref[object]] = []

    def spied(name: str, *args: Any, **options: Any) -> backbone.Backbone:
        gc.collect()
        assert not [model for model in alive if model()]
        if options["quantisation"] == "nf4":
            raise RuntimeError("out of memory")
        llm = load(name, *args, **options)
        alive.append(weakref.ref(llm.model))
        return llm

    monkeypatch.setattr(backbone, "load", spied)
    wanted = {
        f"{quantisation} {place}": Point("tiny", quantisation, 1, 5, 2, 2, "verbalizer", 1)
        for place, quantisation in enumerate(("none", "nf4", "none"))
    }
    failed = cost_measurement.measure(wanted, {}, "llamarec", titles, CPU, home, "typed", lambda line: None)
    assert failed == [
        "2 of 3: tiny, verbalizer, titles of 5 tokens, history 2, candidates 2, batch 1: RuntimeError: out of memory"
    ]
    assert {each.point for each in costs.all_costs(home.runs)} == {"none 0", "none 2"}
    assert len(alive) == 2
