"""LoRA tuning with validation, checkpoints, and a resume that changes nothing."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from harness import checkpoint, metrics
from harness.errors import InputError, WorkError
from harness.llm import losses
from harness.llm.backbone import Backbone
from harness.llm.lora import LoraConfig, adapter
from harness.llm.losses import Example, LossOn, TokenLosses
from harness.progress import track
from harness.record import FitRecord
from harness.seeds import rng, seeded
from harness.system import Context, Scorer

MAX_GRADIENT_NORM = 1.0  # the default of transformers' Trainer, which LlamaRec's authors use
CHECKPOINT_EVERY_S = 30.0

Beta = Annotated[float, Field(ge=0, lt=1)]


class TuningConfig(LoraConfig):
    """Budget and optimiser; the defaults are LlamaRec's (section 4.0.4).

    Attributes:
        learning_rate: of AdamW; rises over ``warmup_steps``.
        schedule: then it falls linearly to 0, as in transformers' Trainer, which LlamaRec's authors use, or stays.
        warmup_steps: steps until ``learning_rate`` is reached.
        betas: of AdamW.
        weight_decay: of AdamW.
        epochs: passes over the examples.
        batch_size: examples a step; positive and negative of one case count as one.
        micro_batch: examples a forward pass; changes memory and time, not the mathematics.
        validate_every: steps between two validations; None: one after each epoch.
        validate_limit: queries a validation; None: all.
        patience: validations in a row without a better ``monitor`` before tuning stops.
        monitor: the validation metric that chooses the weights, or a sum of some, e.g. ``Recall@3+Recall@5``.
        loss_on: the answer's tokens (a letter and the end, say), or every token of prompt and answer.
    """

    learning_rate: float = Field(1e-4, gt=0)
    schedule: Literal["linear", "constant"] = "linear"
    warmup_steps: int = Field(100, ge=0)
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)
    epochs: int = Field(1, ge=1)
    batch_size: int = Field(12, ge=1)
    micro_batch: int = Field(1, ge=1)
    validate_every: int | None = Field(100, ge=1)
    validate_limit: int | None = Field(None, ge=1)
    patience: int = Field(20, ge=1)
    monitor: metrics.Monitor = "NDCG@10"
    loss_on: LossOn = "answer"


@dataclass
class _Progress:
    """Where tuning stands; what a checkpoint keeps beside the adapter and the optimiser.

    Attributes:
        untuned: the validation metric before the first step.
        window: (mean loss over the tokens learnt, over the answers' first) of each step since the last validation.
        first_token_loss: mean of the window's second column at the last validation.
    """

    untuned: float
    step: int = 0
    elapsed_s: float = 0.0
    best: float = -1.0
    best_step: int = 0
    first_token_loss: float = math.inf
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    window: list[tuple[float, float]] = field(default_factory=list)

    def stale(self) -> int:
        """Validations since the best one."""
        return sum(step > self.best_step for step, _, _ in self.curve)


def tune(
    backbone: Backbone,
    example: Callable[[int], Sequence[Example]],
    order: npt.NDArray[np.int64],
    scorer: Scorer,
    settings: TuningConfig,
    context: Context,
    token_losses: TokenLosses = losses.token_losses,
    goal: float = math.inf,
) -> FitRecord:
    """Tune the backbone's adapter in place and leave it as it validated best.

    Dropout is drawn from ``seeded(seed, "dropout", step)``; a step depends on nothing but the weights and its number.

    Args:
        backbone: has an adapter (``harness.llm.lora``).
        example: makes the example of an index: one text with its answer, or a few that go through the model together.
        order: indices of the examples in the order in which each epoch sees them, shape [epoch, example].
        scorer: what is validated.
        settings: budget and optimiser.
        context: seed, validation queries, checkpoint folder.
        token_losses: of the texts of a forward pass.
        goal: what ``settings.monitor`` must reach on validation for tuning to stop before its budget is spent.

    Raises:
        InputError: the learning rate would still be rising at the end, or there is nothing to learn from.
        WorkError: the loss is not finite.
    """
    weights = adapter(backbone.model)
    best = {name: value.detach().clone() for name, value in weights.items()}
    optimizer = torch.optim.AdamW(
        weights.values(), lr=settings.learning_rate, betas=settings.betas, weight_decay=settings.weight_decay
    )
    epoch_steps = math.ceil(order.shape[1] / settings.batch_size)
    validate_every, last_step = settings.validate_every or epoch_steps, len(order) * epoch_steps
    if last_step <= settings.warmup_steps:
        raise InputError(
            f"warmup_steps={settings.warmup_steps}: there are {last_step} steps of {settings.batch_size} prompts; "
            "the warm-up must end before they do"
        )
    started = time.perf_counter()
    progress = _resume(weights, best, optimizer, context)
    if progress is None:
        progress = _Progress(validate(scorer, settings, context))
        context.report(f"before tuning: {settings.monitor} {progress.untuned:.4f}")
    first_step, before_s = progress.step, progress.elapsed_s
    first_at = saved_at = time.perf_counter()

    for step in track(range(progress.step, last_step), f"tuning, {last_step} steps"):
        if progress.best >= goal or progress.stale() >= settings.patience:
            break
        epoch, place = divmod(step, epoch_steps)
        indices = order[epoch, place * settings.batch_size : (place + 1) * settings.batch_size]
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _share(step, settings, last_step)
        batch = [example(int(index)) for index in indices]
        with seeded(context.seed, "dropout", step, device=backbone.device):
            progress.window.append(_step(backbone, batch, settings, optimizer, token_losses))
        progress.step = step + 1
        if progress.step % validate_every == 0 or progress.step == last_step:
            _judge(progress, weights, best, validate(scorer, settings, context))
            step_s = (time.perf_counter() - first_at) / (progress.step - first_step)
            context.report(_line(progress, settings.monitor, step_s, last_step))
        progress.elapsed_s = before_s + time.perf_counter() - started
        if not progress.window or time.perf_counter() - saved_at > CHECKPOINT_EVERY_S:
            _save(weights, best, optimizer, progress, context)
            saved_at = time.perf_counter()

    _copy(weights, best)
    return FitRecord(
        steps=progress.step,
        best_step=progress.best_step,
        stopped="goal" if progress.best >= goal else "budget" if progress.step == last_step else "patience",
        monitor=settings.monitor,
        curve=tuple(progress.curve),
        elapsed_s=before_s + time.perf_counter() - started,
        notes={
            "padding": "right",
            "prompts_seen": prompts_seen(progress.step, order.shape[1], settings.batch_size),
            "prompts_an_epoch": order.shape[1],
            "first_token_loss_at_the_end_of_training": progress.first_token_loss,
            f"validation_{settings.monitor}_untuned": progress.untuned,
            f"validation_{settings.monitor}_at_the_end": progress.curve[-1][1],
        },
    )


def epochs(indices: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """The indices as they are, then shuffled for every further epoch: shape [epoch, example]."""
    return np.stack([indices, *(rng(seed, "epoch", epoch).permutation(indices) for epoch in range(1, count))])


def _step(
    backbone: Backbone,
    batch: list[Sequence[Example]],
    settings: TuningConfig,
    optimizer: torch.optim.Optimizer,
    token_losses: TokenLosses = losses.token_losses,
) -> tuple[float, float]:
    """One optimiser step; mean loss over the batch's tokens that are learnt, and over its answers' first."""
    backbone.model.train()
    batch = sorted(batch, key=lambda texts: len(texts[0].prompt))
    tokens = sum(one.learnt(settings.loss_on) for texts in batch for one in texts)
    total, first = 0.0, 0.0
    optimizer.zero_grad()
    for start in range(0, len(batch), settings.micro_batch):
        examples = [one for texts in batch[start : start + settings.micro_batch] for one in texts]
        found = token_losses(backbone.model, examples, settings.loss_on)
        (found.sum() / tokens).backward()  # type: ignore[no-untyped-call]
        ends = np.cumsum([one.learnt(settings.loss_on) for one in examples])
        places = [end - len(one.answer) for end, one in zip(ends, examples, strict=True)]
        total += float(found.detach().sum())
        first += float(found.detach()[places].sum())
    if not math.isfinite(total):
        raise WorkError(f"tuning loss is {total}; try a smaller learning_rate or dtype=float32")
    nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], MAX_GRADIENT_NORM)
    optimizer.step()
    return total / tokens, first / sum(map(len, batch))


def _share(step: int, settings: TuningConfig, last_step: int) -> float:
    """Share of the learning rate in step ``step`` (from 0): linear up, then by the schedule."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    return (last_step - step) / (last_step - settings.warmup_steps) if settings.schedule == "linear" else 1.0


def prompts_seen(steps: int, examples: int, batch_size: int) -> int:
    """Of ``examples`` an epoch, those that were learnt from in so many steps; an epoch's last batch may be short."""
    epochs, more = divmod(steps, math.ceil(examples / batch_size))
    return epochs * examples + more * batch_size


def validate(scorer: Scorer, settings: TuningConfig, context: Context) -> float:
    """What ``settings.monitor`` says of a scorer on the validation queries.

    Raises:
        WorkError: there are none.
    """
    outcomes = context.validate(scorer, settings.validate_limit)
    if not len(outcomes):
        raise WorkError("no validation query has its target among the candidates; a retriever must find some first")
    return metrics.monitored(outcomes, settings.monitor)


def _judge(progress: _Progress, weights: dict[str, Tensor], best: dict[str, Tensor], metric: float) -> None:
    """Enter a validation into the curve, and keep the weights if they are the best so far."""
    loss, progress.first_token_loss = np.mean(progress.window, axis=0).tolist()
    progress.curve.append((progress.step, metric, loss))
    progress.window.clear()
    if metric > progress.best:
        progress.best, progress.best_step = metric, progress.step
        _copy(best, weights)


def _copy(target: dict[str, Tensor], source: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in target.items():
            value.copy_(source[name])


def _save(
    weights: dict[str, Tensor],
    best: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    progress: _Progress,
    context: Context,
) -> None:
    tensors = {f"adapter.{name}": value for name, value in weights.items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    checkpoint.save(context.work, tensors | checkpoint.pack_optimizer(optimizer), vars(progress))


def _resume(
    weights: dict[str, Tensor], best: dict[str, Tensor], optimizer: torch.optim.Optimizer, context: Context
) -> _Progress | None:
    """Load the checkpoint, if there is one, into the adapter, ``best`` and the optimiser."""
    found = checkpoint.load(context.work)
    if found is None:
        return None
    tensors, state = found
    with checkpoint.fitting(context.work):
        _copy(weights, {name: tensors[f"adapter.{name}"] for name in weights})
        _copy(best, {name: tensors[f"best.{name}"] for name in best})
        checkpoint.unpack_optimizer(optimizer, tensors)
        for pairs in ("curve", "window"):
            state[pairs] = [tuple(row) for row in state[pairs]]
        return _Progress(**state)


def _line(progress: _Progress, monitor: str, step_s: float, last_step: int) -> str:
    step, metric, loss = progress.curve[-1]
    minutes, seconds = divmod(round((last_step - step) * step_s), 60)
    return (
        f"step {step} of {last_step}: loss {loss:.4f}, {monitor} {metric:.4f} "
        f"(best {progress.best:.4f} at {progress.best_step}), {step_s:.1f} s a step, {minutes}:{seconds:02} left"
    )
