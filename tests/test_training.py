from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from harness import checkpoint
from harness.errors import WorkError
from harness.outcomes import Outcomes
from harness.record import FitRecord
from harness.seeds import seeded
from harness.system import Context, Queries
from harness.training import TrainingConfig, train
from tests.support import context
from tests.worlds import dataset

EXAMPLES = torch.arange(10.0)
DATA = dataset([[1, 2, 3, 4]] * 3, 4)


class Line(nn.Module):
    """A slope, an offset that is not decayed, and dropout, so that a step is random."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([[1.0]]))
        self.offset = nn.Parameter(torch.tensor([1.0]))
        self.dropout = nn.Dropout(0.5)

    def loss(self, batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
        x = EXAMPLES[batch]
        noise = torch.from_numpy(random.normal(size=len(x))).float()
        return (self.dropout(x) * self.slope[0] + self.offset + noise - 3 * x).square().mean()

    def score(self, queries: Queries) -> Tensor:
        return self.slope.detach() * torch.arange(5.0).repeat(len(queries), 1)


class KilledError(Exception):
    pass


def fit(folder: Path, kill_at: int | None = None, **settings: float | int) -> tuple[Line, FitRecord, Context]:
    """Train a line; ``kill_at``: die in the loss of this step."""
    given, _ = context(folder, DATA)
    with seeded(1, "init"):
        model = Line()
    steps = 0

    def loss(batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
        nonlocal steps
        if steps == kill_at:
            raise KilledError
        steps += 1
        return model.loss(batch, random)

    config = TrainingConfig(**{"batch_size": 4, "max_steps": 12, "validate_every": 4, "learning_rate": 0.1, **settings})
    return model, train(model, len(EXAMPLES), loss, model.score, config, given), given


def timeless(record: FitRecord) -> FitRecord:
    return record.model_copy(update={"elapsed_s": None})


def test_an_epoch_takes_every_example_once_and_epochs_differ(tmp_path: Path) -> None:
    given, _ = context(tmp_path, DATA)
    model, batches = Line(), []

    def loss(batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
        batches.append(batch)
        return model.loss(batch, random)

    train(model, 10, loss, model.score, TrainingConfig(batch_size=4, max_epochs=2, validate_every=2), given)
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)


def test_same_seed_same_weights(tmp_path: Path) -> None:
    (one, first, _), (two, second, _) = fit(tmp_path / "a"), fit(tmp_path / "b")
    assert timeless(first) == timeless(second)
    assert torch.equal(one.slope, two.slope)
    assert torch.equal(one.offset, two.offset)


@pytest.mark.parametrize("kill_at", [2, 4, 7, 11])
def test_a_killed_training_resumes_to_the_same_bits(tmp_path: Path, kill_at: int) -> None:
    whole, record, _ = fit(tmp_path / "whole")
    with pytest.raises(KilledError):
        fit(tmp_path / "killed", kill_at=kill_at)
    resumed, again, _ = fit(tmp_path / "killed")
    assert timeless(again) == timeless(record)
    assert torch.equal(resumed.slope, whole.slope)
    assert torch.equal(resumed.offset, whole.offset)


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    whole, record, _ = fit(tmp_path)
    resumed, again, _ = fit(tmp_path, kill_at=0)
    assert again == record  # the seconds that it took, too
    assert again.elapsed_s > 0
    assert torch.equal(resumed.slope, whole.slope)


def test_budget_is_epochs_or_steps_whichever_ends_first(tmp_path: Path) -> None:
    _, by_epochs, _ = fit(tmp_path / "epochs", max_epochs=2)
    assert (by_epochs.steps, by_epochs.stopped) == (6, "budget")
    assert [step for step, _, _ in by_epochs.curve] == [4, 6]
    _, by_steps, _ = fit(tmp_path / "steps", max_epochs=100, max_steps=5)
    assert (by_steps.steps, by_steps.stopped) == (5, "budget")


def validating(values: list[float], given: Context) -> Context:
    """The context with validation replaced: the target of the n-th one is recalled by this share of 10 queries."""
    left = iter(values)

    def validate(scorer: object, limit: int | None = None) -> object:
        outcomes = given.validate(lambda queries: torch.zeros(len(queries), 5))
        ranks = np.where(np.arange(10) < 10 * next(left), 1, 99)
        ones = np.ones(10, dtype=np.int64)
        return type(outcomes)(ones, ranks, 0 * ones, ones.astype(bool))

    return Context(**{**vars(given), "validate": validate})


def test_patience_keeps_the_weights_that_validated_best(tmp_path: Path) -> None:
    given, _ = context(tmp_path, DATA)
    model, slopes = Line(), []

    def loss(batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
        slopes.append(model.slope.item())
        return model.loss(batch, random)

    config = TrainingConfig(batch_size=4, max_steps=99, validate_every=2, patience=2, learning_rate=0.1)
    record = train(model, 10, loss, model.score, config, validating([0.1, 0.5, 0.5, 0.2, 0.9], given))
    assert record.stopped == "patience"
    assert (record.steps, record.best_step) == (8, 4)
    assert [(step, metric) for step, metric, _ in record.curve] == [(2, 0.1), (4, 0.5), (6, 0.5), (8, 0.2)]
    assert record.monitor == "Recall@10"
    assert model.slope.item() == slopes[4]


@pytest.mark.parametrize(
    ("monitor", "values", "best_step"),
    [
        ("Recall@10", [0.6, 0.4], 2),
        ("NDCG@10", [0.6 / np.log2(11), 0.4], 4),
        ("MRR@10", [0.06, 0.4], 4),
        ("Recall@9", [0, 0.4], 4),
        ("Recall@9+Recall@10", [0.6, 0.8], 4),
    ],
)
def test_the_monitor_chooses_the_weights(tmp_path: Path, monitor: str, values: list[float], best_step: int) -> None:
    given, _ = context(tmp_path, DATA)
    model, ones = Line(), np.ones(10, dtype=np.int64)
    ranks = iter([np.array([10] * 6 + [99] * 4), np.array([1] * 4 + [99] * 6)])

    def validate(scorer: object, limit: int | None = None) -> Outcomes:
        return Outcomes(ones, next(ranks), 0 * ones, ones.astype(bool))

    config = TrainingConfig(max_steps=4, max_epochs=9, validate_every=2, monitor=monitor)
    record = train(model, 1, model.loss, model.score, config, Context(**{**vars(given), "validate": validate}))
    assert (record.monitor, record.best_step) == (monitor, best_step)
    assert [metric for _, metric, _ in record.curve] == pytest.approx(values)
    assert record.best_value() == pytest.approx(max(values))


def test_weight_decay_spares_vectors(tmp_path: Path) -> None:
    given, _ = context(tmp_path, DATA)
    model = Line()
    config = TrainingConfig(max_steps=1, weight_decay=0.5, learning_rate=0.1)
    train(model, 1, lambda batch, random: 0 * (model.slope.sum() + model.offset.sum()), model.score, config, given)
    assert model.slope.item() == pytest.approx(1 - 0.1 * 0.5)
    assert model.offset.item() == 1


def test_gradients_are_clipped_at_norm_5(tmp_path: Path) -> None:
    given, _ = context(tmp_path, DATA)
    model, norms = Line(), []
    model.slope.register_post_accumulate_grad_hook(lambda slope: norms.append(slope.grad))
    config = TrainingConfig(max_steps=1)
    train(model, 1, lambda batch, random: 1000 * model.slope.sum(), model.score, config, given)
    assert norms[0].item() == pytest.approx(5)


def test_a_loss_that_is_not_finite_is_failed_work(tmp_path: Path) -> None:
    given, _ = context(tmp_path, DATA)
    model = Line()
    with pytest.raises(WorkError, match=r"training loss is nan before step 3; try a smaller learning_rate"):
        train(model, 1, lambda b, r: model.slope.sum() * float("nan"), model.score, TrainingConfig(max_steps=3), given)


def test_progress_is_reported_at_every_validation(tmp_path: Path) -> None:
    lines: list[str] = []
    given, _ = context(tmp_path, DATA, report=lines.append)
    model = Line()
    train(model, 10, model.loss, model.score, TrainingConfig(max_steps=3, validate_every=2, max_epochs=9), given)
    assert lines[0].startswith("step 2: loss ")
    assert "Recall@10 1.0000 (best 1.0000 at 2)" in lines[0]
    assert lines[1].endswith(" left of 3 steps")


@pytest.mark.parametrize("other", ["tensor", "shape", "key"])
def test_a_checkpoint_of_other_code_is_failed_work_that_names_the_file(tmp_path: Path, other: str) -> None:
    with pytest.raises(KilledError):
        fit(tmp_path, kill_at=6)
    (path,) = tmp_path.rglob(checkpoint.FILE)
    found = checkpoint.load(path.parent)
    assert found
    tensors, state = found
    if other == "key":
        state["epochs"] = 3
    elif other == "shape":
        tensors["model.slope"] = torch.zeros(2, 2)
    else:
        tensors = {name.replace("slope", "gradient"): value for name, value in tensors.items()}
    checkpoint.save(path.parent, tensors, state)
    with pytest.raises(WorkError, match=f"{path}: was written by another version .* or delete the file"):
        fit(tmp_path)
