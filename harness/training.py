"""The training loop of small models: early stopping, checkpoints, and a resume that changes nothing."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from harness import checkpoint, metrics
from harness.config import Settings
from harness.errors import WorkError
from harness.progress import track
from harness.record import FitRecord
from harness.seeds import rng, seeded
from harness.system import Context, Scorer

MAX_GRADIENT_NORM = 5.0  # what LRURec's published code clips at

# (indices of the batch's examples, shape [example]; the step's own generator) -> mean loss, a scalar
BatchLoss = Callable[[npt.NDArray[np.int64], np.random.Generator], Tensor]


class TrainingConfig(Settings):
    """The budget and optimiser that LlamaRec's paper gives every sequence system (section 4).

    Attributes:
        learning_rate: constant, of AdamW.
        weight_decay: of AdamW, on matrices only (no bias, no norm).
        batch_size: training windows a step.
        max_epochs: passes over the training windows at most.
        max_steps: steps at most; None: no limit but ``max_epochs``.
        validate_every: steps between two validations.
        patience: validations in a row without a better ``monitor`` before training stops.
        monitor: the validation metric that stops training and chooses the weights, e.g. ``NDCG@10``, or a sum of some.
    """

    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    batch_size: int = Field(64, ge=1)
    max_epochs: int = Field(500, ge=1)
    max_steps: int | None = Field(None, ge=1)
    validate_every: int = Field(500, ge=1)
    patience: int = Field(20, ge=1)
    monitor: metrics.Monitor = "Recall@10"


@dataclass
class _Progress:
    """Where training stands; what a checkpoint keeps beside the weights and the optimiser."""

    step: int = 0
    elapsed_s: float = 0.0
    best: float = -1.0
    best_step: int = 0
    curve: list[tuple[int, float, float]] = field(default_factory=list)

    def stale(self) -> int:
        """Validations since the best one."""
        return sum(step > self.best_step for step, _, _ in self.curve)


def train(
    model: nn.Module, examples: int, loss: BatchLoss, scorer: Scorer, settings: TrainingConfig, context: Context
) -> FitRecord:
    """Train ``model`` in place and leave it with the weights that validated best.

    The order of an epoch is drawn from ``rng(seed, "batches", epoch)``, what a loss draws from ``rng(seed, "loss",
    step)``, dropout from ``seeded(seed, "dropout", step)``: a step depends on nothing but the weights and its number.
    Every validation replaces the checkpoint in ``context.work``; started again, training goes on from there.

    Args:
        model: its parameters are trained; its device is the context's.
        examples: how many training examples there are.
        loss: mean loss of a batch of examples.
        scorer: what is validated.
        settings: budget and optimiser.
        context: seed, device, validation queries, checkpoint folder.

    Raises:
        WorkError: the loss is not finite.
    """
    optimizer = torch.optim.AdamW(_groups(model, settings.weight_decay), lr=settings.learning_rate, fused=True)
    best = {name: value.clone() for name, value in model.state_dict().items()}
    progress = _resume(model, best, optimizer, context)
    last_step = settings.max_epochs * -(-examples // settings.batch_size)
    last_step = min(last_step, settings.max_steps or last_step)
    first_step, before_s, started = progress.step, progress.elapsed_s, time.perf_counter()

    while progress.step < last_step and progress.stale() < settings.patience:
        stop = min((progress.step // settings.validate_every + 1) * settings.validate_every, last_step)
        model.train()
        losses = []
        batches = _batches(examples, settings.batch_size, progress.step, stop, context.seed)
        for step, batch in track(batches, f"training to step {stop}", total=stop - progress.step):
            with seeded(context.seed, "dropout", step, device=context.device):
                value = loss(batch, rng(context.seed, "loss", step))
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
            optimizer.step()
            losses.append(value.detach())
        mean_loss = float(torch.stack(losses).mean())
        if not np.isfinite(mean_loss):
            raise WorkError(f"training loss is {mean_loss} before step {stop}; try a smaller learning_rate")

        outcomes = context.validate(scorer)
        metric = metrics.monitored(outcomes, settings.monitor)
        progress.step = stop
        progress.curve.append((stop, metric, mean_loss))
        if metric > progress.best:
            progress.best, progress.best_step = metric, stop
            best = {name: value.clone() for name, value in model.state_dict().items()}
        progress.elapsed_s = before_s + time.perf_counter() - started
        _save(model, best, optimizer, progress, context)
        step_s = (time.perf_counter() - started) / (stop - first_step)
        context.report(_line(progress, settings.monitor, step_s, settings.max_steps and last_step))

    model.load_state_dict(best)
    return FitRecord(
        steps=progress.step,
        best_step=progress.best_step,
        stopped="budget" if progress.step == last_step else "patience",
        monitor=settings.monitor,
        curve=tuple(progress.curve),
        elapsed_s=progress.elapsed_s,
    )


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _batches(examples: int, size: int, start: int, stop: int, seed: int) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """(step, indices of its examples) from step ``start`` up to ``stop``; an epoch's last batch may be short."""
    per_epoch = -(-examples // size)
    for step in range(start, stop):
        epoch, position = divmod(step, per_epoch)
        if step == start or position == 0:
            order = rng(seed, "batches", epoch).permutation(examples)
        yield step, order[position * size : (position + 1) * size]


def _save(
    model: nn.Module, best: dict[str, Tensor], optimizer: torch.optim.Optimizer, progress: _Progress, context: Context
) -> None:
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    checkpoint.save(context.work, tensors | checkpoint.pack_optimizer(optimizer), vars(progress))


def _resume(model: nn.Module, best: dict[str, Tensor], optimizer: torch.optim.Optimizer, context: Context) -> _Progress:
    """Load the checkpoint, if there is one, into the model, ``best`` and the optimiser."""
    found = checkpoint.load(context.work)
    if found is None:
        return _Progress()
    tensors, state = found
    with checkpoint.fitting(context.work):
        model.load_state_dict({name: tensors[f"model.{name}"] for name in best})
        for name, value in best.items():
            value.copy_(tensors[f"best.{name}"])
        checkpoint.unpack_optimizer(optimizer, tensors)
        curve = [(step, metric, loss) for step, metric, loss in state.pop("curve")]
        return _Progress(curve=curve, **state)


def _line(progress: _Progress, monitor: str, step_s: float, last_step: int | None) -> str:
    step, metric, loss = progress.curve[-1]
    line = f"step {step}: loss {loss:.4f}, {monitor} {metric:.4f}"
    line += f" (best {progress.best:.4f} at {progress.best_step}), {1e3 * step_s:.0f} ms a step"
    if last_step is None:
        return line
    minutes, seconds = divmod(round((last_step - step) * step_s), 60)
    return f"{line}, {minutes}:{seconds:02} left of {last_step} steps"
