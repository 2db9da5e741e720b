"""Tuning on a made-up task: the answer is the letter that the prompt ends with."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.errors import InputError, WorkError
from harness.home import Home
from harness.llm import backbone, lora, losses, prefix, tuning
from harness.llm.backbone import Backbone
from harness.llm.losses import Example, TokenLosses
from harness.llm.tuning import TuningConfig, epochs, tune
from harness.outcomes import Outcomes
from harness.record import FitRecord
from harness.seeds import rng
from harness.system import Context, Queries, Scorer
from tests.worlds import dataset

CPU = torch.device("cpu")
END = 1
SETTINGS = TuningConfig(batch_size=4, micro_batch=2, warmup_steps=2, validate_every=2, learning_rate=1e-2)
ORDER = rng(1, "order").permutation(22)


def example(index: int) -> list[Example]:
    generator = rng(1, "example", index)
    prompt = generator.integers(30, 60, size=int(generator.integers(5, 30))).tolist()
    return [Example(prompt=prompt, answer=[prompt[-1], END])]


def no_scores(queries: Queries) -> Tensor:
    raise AssertionError("the scripted validation asks nothing")


@dataclass
class Script:
    """Validation that returns the given ranks one after the other, then 1."""

    ranks: list[int] = field(default_factory=list)
    limits: list[int | None] = field(default_factory=list)

    def __call__(self, scorer: Scorer, limit: int | None = None) -> Outcomes:
        self.limits.append(limit)
        rank = np.array([self.ranks[len(self.limits) - 1] if len(self.limits) <= len(self.ranks) else 1])
        return Outcomes(np.array([1]), rank, np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool))


def context(work: Path, validate: Callable[..., Outcomes]) -> Context:
    return Context(dataset([[1, 2, 3]]), 1, CPU, 6, work, validate, Home(work), lambda line: None)


@pytest.fixture
def llm(tiny: Backbone) -> Backbone:
    lora.add(tiny, TuningConfig(), seed=1)
    return tiny


def run(
    home: Home, work: Path, validate: Callable[..., Outcomes], goal: float = math.inf, **settings: object
) -> tuple[FitRecord, Tensor]:
    llm = backbone.load("tiny", home, CPU, dtype="float32")
    lora.add(llm, SETTINGS, seed=1)
    changed = SETTINGS.model_copy(update=settings)
    record = tune(
        llm, example, epochs(ORDER, changed.epochs, 1), no_scores, changed, context(work, validate), goal=goal
    )
    return record, torch.cat([tensor.detach().flatten() for tensor in lora.adapter(llm.model).values()])


def test_literal_losses(home: Home, tmp_path: Path) -> None:
    record, _ = run(home, tmp_path, Script())
    assert [loss for _, _, loss in record.curve] == pytest.approx([5.7096, 5.3728, 4.8949], abs=2e-3)
    assert (record.notes["prompts_seen"], record.notes["prompts_an_epoch"]) == (22, 22)
    assert record.notes["first_token_loss_at_the_end_of_training"] == pytest.approx(5.0870, abs=2e-3)
    assert (record.steps, record.stopped, record.monitor) == (6, "budget", "NDCG@10")


def test_literal_losses_of_all_tokens(home: Home, tmp_path: Path) -> None:
    record, _ = run(home, tmp_path, Script(), loss_on="prompt")
    assert [loss for _, _, loss in record.curve] == pytest.approx([5.9251, 5.7175, 5.6455], abs=2e-3)
    assert record.notes["first_token_loss_at_the_end_of_training"] == pytest.approx(4.9631, abs=2e-3)


@pytest.mark.parametrize("loss_on", ["answer", "prompt"])
def test_the_micro_batch_does_not_change_a_step(home: Home, loss_on: str) -> None:
    def after_a_step(micro_batch: int) -> Tensor:
        llm = backbone.load("tiny", home, CPU, dtype="float32")
        settings = SETTINGS.model_copy(update={"lora_dropout": 0.0, "loss_on": loss_on, "micro_batch": micro_batch})
        lora.add(llm, settings, seed=1)
        descent = torch.optim.SGD(lora.adapter(llm.model).values(), lr=1.0)
        tuning._step(llm, [example(index) for index in range(7)], settings, descent)
        return torch.cat([tensor.detach().flatten() for tensor in lora.adapter(llm.model).values()])

    whole = after_a_step(7)
    for micro_batch in (1, 3):
        torch.testing.assert_close(after_a_step(micro_batch), whole, rtol=1e-4, atol=1e-6)


def test_a_warm_up_that_does_not_end_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="warmup_steps=6: there are 6 steps of 4 prompts"):
        run(home, tmp_path, Script(), warmup_steps=6)


def test_a_step_is_clipped_at_norm_1(tiny: Backbone) -> None:
    def steep(*given: object) -> Tensor:
        return 1e3 * losses.token_losses(*given)  # type: ignore[arg-type]

    lora.add(tiny, SETTINGS, seed=1)
    weights = lora.adapter(tiny.model)
    before = {name: value.detach().clone() for name, value in weights.items()}
    tuning._step(tiny, [example(0), example(1)], SETTINGS, torch.optim.SGD(weights.values(), lr=1.0), steep)
    moved = torch.cat([(value.detach() - before[name]).flatten() for name, value in weights.items()])
    assert float(moved.norm()) == pytest.approx(1, rel=1e-3)


def test_it_learns(home: Home, tmp_path: Path) -> None:
    record, _ = run(home, tmp_path, Script(), batch_size=1, warmup_steps=0)
    first, last = record.curve[0][2], record.curve[-1][2]
    assert last < 0.9 * first


def test_the_weights_that_validated_best_are_kept(home: Home, tmp_path: Path) -> None:
    short, after_two = run(home, tmp_path / "short", Script([1, 2, 5, 5]))
    assert (short.steps, short.best_step) == (6, 2)
    again, best_last = run(home, tmp_path / "long", Script([1, 5, 5, 2]))
    assert again.best_step == 6
    assert not torch.equal(after_two, best_last)
    assert short.notes["validation_NDCG@10_untuned"] == 1.0
    assert short.notes["validation_NDCG@10_at_the_end"] == pytest.approx(1 / np.log2(6))


def test_patience_ends_it(home: Home, tmp_path: Path) -> None:
    script = Script([1, 2, 3, 3, 3])
    record, _ = run(home, tmp_path, script, validate_every=1, patience=2, validate_limit=7)
    assert (record.steps, record.best_step, record.stopped) == (3, 1, "patience")
    assert record.notes["prompts_seen"] == 12
    assert script.limits == [7] * 4  # before tuning, and after each step


def test_it_ends_where_validation_reaches_its_goal(home: Home, tmp_path: Path) -> None:
    script, second = [4, 3, 2, 1, 1], 1 / np.log2(3)
    lasting, _ = run(home, tmp_path / "lasting", Script(script), validate_every=1, goal=1.01)
    assert (lasting.steps, lasting.stopped) == (6, "budget")
    record, _ = run(home, tmp_path / "goal", Script(script), validate_every=1, goal=second)
    assert (record.steps, record.best_step, record.stopped) == (2, 2, "goal")
    assert record.notes["prompts_seen"] == 8
    again, _ = run(home, tmp_path / "goal", Script([9]), validate_every=1, goal=second)
    assert (again.steps, again.curve, again.stopped) == (2, record.curve, "goal")


def test_the_sum_of_some_metrics_chooses(home: Home, tmp_path: Path) -> None:
    record, _ = run(home, tmp_path, Script([4, 4, 2, 11]), monitor="Recall@3+Recall@5+Recall@10")
    assert [value for _, value, _ in record.curve] == [2, 3, 0]
    assert (record.best_step, record.monitor) == (4, "Recall@3+Recall@5+Recall@10")
    assert record.notes["validation_Recall@3+Recall@5+Recall@10_untuned"] == 2
    with pytest.raises(ValueError, match="'Recall@x' is no metric"):
        TuningConfig(monitor="Recall@3+Recall@x")


def test_epochs_see_all_in_another_order_and_are_validated_one_by_one(home: Home, tmp_path: Path) -> None:
    order = epochs(ORDER, 3, seed=1)
    assert order[0].tolist() == ORDER.tolist()
    assert all(sorted(row) == sorted(ORDER) for row in order.tolist())
    assert len({tuple(row) for row in order.tolist()}) == 3
    record, _ = run(home, tmp_path, Script(), epochs=2, validate_every=None)
    assert [step for step, _, _ in record.curve] == [6, 12]
    assert record.notes["prompts_seen"] == 44


def test_a_step_of_a_later_epoch_takes_its_own_examples(home: Home, tmp_path: Path) -> None:
    seen = []

    def watched(index: int) -> list[Example]:
        seen.append(index)
        return example(index)

    llm = backbone.load("tiny", home, CPU, dtype="float32")
    lora.add(llm, SETTINGS, seed=1)
    order = epochs(ORDER, 2, seed=1)
    tune(llm, watched, order, no_scores, SETTINGS, context(tmp_path, Script()))
    assert seen == order.flatten().tolist()


def test_a_constant_rate_with_the_given_optimiser(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups, step = [], tuning._step

    def watched(
        llm: object, batch: object, settings: object, optimizer: torch.optim.Optimizer, losses: object
    ) -> object:
        groups.append({key: optimizer.param_groups[0][key] for key in ("lr", "betas", "weight_decay")})
        return step(llm, batch, settings, optimizer, losses)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning, "_step", watched)
    changed = {"schedule": "constant", "betas": (0.9, 0.95), "weight_decay": 5e-4, "warmup_steps": 0}
    run(home, tmp_path, Script(), learning_rate=0.01, **changed)
    assert groups == [{"lr": 0.01, "betas": (0.9, 0.95), "weight_decay": 5e-4}] * 6


def test_pairs_that_share_their_beginning_are_learnt_as_if_apart(home: Home) -> None:
    def after_a_step(token_losses: TokenLosses) -> Tensor:
        llm = backbone.load("tiny", home, CPU, dtype="float32")
        settings = SETTINGS.model_copy(update={"lora_dropout": 0.0, "loss_on": "prompt", "micro_batch": 1})
        lora.add(llm, settings, seed=1)
        prefix.use(llm.model)
        descent = torch.optim.SGD(lora.adapter(llm.model).values(), lr=1.0)
        tuning._step(llm, [pair(index) for index in range(4)], settings, descent, token_losses)
        return torch.cat([tensor.detach().flatten() for tensor in lora.adapter(llm.model).values()])

    def pair(index: int) -> list[Example]:
        ((one,), (other,)) = example(index), example(index + 10)
        return [one, Example(one.prompt[:-2] + other.prompt[:5], other.answer)]

    together, apart = after_a_step(losses.shared_token_losses), after_a_step(losses.token_losses)
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-6)


class Killed(Exception):
    pass


@pytest.mark.parametrize("killed_in", [1, 3, 4, 6])
def test_a_resumed_run_ends_bit_identical(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: int
) -> None:
    ranks = [3, 2, 4, 2]
    expected = run(home, tmp_path / "whole", Script(ranks))
    monkeypatch.setattr(tuning, "CHECKPOINT_EVERY_S", 0.0)
    step, calls = tuning._step, iter(range(1, 100))

    def killed(*args: object) -> tuple[float, float]:
        if next(calls) == killed_in:
            raise Killed
        return step(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(tuning, "_step", killed)
        with pytest.raises(Killed):
            run(home, tmp_path / "killed", Script(ranks))
    validated = 1 + (killed_in - 1) // 2
    record, weights = run(home, tmp_path / "killed", Script(ranks[0 if killed_in == 1 else validated :]))
    assert record.model_copy(update={"elapsed_s": expected[0].elapsed_s}) == expected[0]
    assert torch.equal(weights, expected[1])


def test_the_learning_rate_rises_then_falls(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = tuning._step

    def watched(
        llm: Backbone, batch: object, settings: object, optimizer: torch.optim.Optimizer, token_losses: object
    ) -> object:
        rates.append(optimizer.param_groups[0]["lr"])
        return step(llm, batch, settings, optimizer, token_losses)

    monkeypatch.setattr(tuning, "_step", watched)
    run(home, tmp_path, Script(), learning_rate=0.4, warmup_steps=2)
    assert rates == pytest.approx([0.2, 0.4, 0.4, 0.3, 0.2, 0.1])


def test_a_loss_that_is_not_finite_ends_the_work(home: Home, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="tuning loss is nan; try a smaller learning_rate"):
        run(home, tmp_path, Script(), learning_rate=3e37, warmup_steps=0, micro_batch=4)


def test_a_retriever_that_finds_nothing_is_told(home: Home, tmp_path: Path) -> None:
    def nothing(scorer: Scorer, limit: int | None = None) -> Outcomes:
        none = np.zeros(0, dtype=np.int64)
        return Outcomes(none, none, none, none.astype(bool))

    with pytest.raises(WorkError, match="no validation query has its target among the candidates"):
        run(home, tmp_path, nothing)


@pytest.mark.parametrize("killed_in", [None, 1, 3, 4])
def test_the_time_of_every_validation_counts_once(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: int | None
) -> None:
    clock, step, calls = [0.0], tuning._step, iter(range(1, 100))

    def validated(scorer: Scorer, limit: int | None = None) -> Outcomes:
        clock[0] += 10
        return Script()(scorer, limit)

    def maybe_killed(*args: object) -> tuple[float, float]:
        if next(calls) == killed_in:
            raise Killed
        return step(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(tuning, "CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(tuning, "_step", maybe_killed)
    if killed_in:
        with pytest.raises(Killed):
            run(home, tmp_path, validated)
    lost = 10 * (killed_in == 1)  # before the first step there is no checkpoint
    assert run(home, tmp_path, validated)[0].elapsed_s == clock[0] - lost == 40
