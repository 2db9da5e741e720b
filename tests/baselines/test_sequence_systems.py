"""What must hold of every sequence system."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import baselines  # noqa: F401  registers the systems
from baselines.encoder import SequenceModel, SequenceSystem
from baselines.packed import pack
from harness.dropout import Dropout
from harness.errors import InputError
from harness.metrics import estimate
from harness.seeds import rng, seeded
from harness.system import Queries, as_padded, find
from tests.support import CPU, context, cycle, outcomes
from tests.worlds import dataset, random_histories

SYSTEMS = ("bert4rec", "core", "gru4rec", "lrurec", "narm", "sasrec")
SMALL = {"width": 16, "batch_size": 8, "validate_every": 10, "max_steps": 20}
N_ITEMS, LENGTH = 30, 6


def build(name: str, **settings: object) -> SequenceModel:
    """A seeded model of 30 items and histories of 6."""
    spec = find(name)
    with seeded(1, "init"):
        return spec.build(spec.config()).build(spec.config(width=16, **settings), N_ITEMS, LENGTH)


def fit(name: str, folder: Path, data: object = None, **settings: object) -> SequenceSystem:
    spec = find(name)
    given, split = context(folder, data or dataset(random_histories(20, N_ITEMS), N_ITEMS), LENGTH)
    system = spec.build(spec.config(**{**SMALL, **settings}))
    system.fit(split.train, given)
    return system


def batch() -> Tensor:
    """Windows of 2 to 7 items, left-padded."""
    generator = rng(1, "batch")
    windows = np.zeros((5, LENGTH + 1), dtype=np.int64)
    for row, size in zip(windows, (7, 2, 5, 3, 7), strict=True):
        row[-size:] = generator.permutation(N_ITEMS)[:size] + 1
    return torch.from_numpy(windows)


@pytest.mark.parametrize(
    ("name", "learning_rate", "steps"),
    [
        ("bert4rec", 0.003, 600),
        ("core", 0.01, 120),
        ("gru4rec", 0.01, 120),
        ("lrurec", 0.01, 120),
        ("narm", 0.01, 120),
        ("sasrec", 0.01, 120),
    ],
)
def test_learns_a_cycle(name: str, learning_rate: float, steps: int, tmp_path: Path) -> None:
    data = cycle()
    budget = {"batch_size": 16, "max_steps": steps, "validate_every": steps}
    system = fit(name, tmp_path, data, width=32, dropout=0.1, learning_rate=learning_rate, **budget)
    assert estimate(outcomes(system.score, data, "test", LENGTH), "Recall", 1) > 0.9


def test_an_unseen_user_is_scored_as_any_other(tmp_path: Path) -> None:
    given, split = context(tmp_path, dataset(random_histories(20, N_ITEMS), N_ITEMS), LENGTH)
    spec = find("gru4rec")
    system = spec.build(spec.config(**SMALL))
    assert system.fit(split.train, given).notes == {"unseen_user": "by the history, as any other"}
    history = batch()[:, 1:]
    known, unknown = (Queries(torch.full((5,), user), history) for user in (1, 99))
    assert torch.equal(system.score(known), system.score(unknown))


@pytest.mark.parametrize("name", SYSTEMS)
def test_padding_does_not_change_scores(name: str) -> None:
    model = build(name).eval()
    history = batch()[:, 1:]
    wide = model.scores(torch.nn.functional.pad(history, (9, 0)))
    torch.testing.assert_close(model.scores(history), wide)
    alone = torch.cat([model.scores(row[row > 0][None]) for row in history])
    torch.testing.assert_close(model.scores(history), alone, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", ["core", "gru4rec", "lrurec", "narm"])  # the others draw by the batch's shape
def test_padding_does_not_change_the_loss(name: str) -> None:
    model = build(name, dropout=0.0).train()
    wide = torch.nn.functional.pad(batch(), (9, 0))
    torch.testing.assert_close(model.loss(batch(), rng(1)), model.loss(wide, rng(1)))


@pytest.mark.parametrize("name", ["core", "gru4rec", "lrurec", "narm"])  # SASRec counts positions from the window's end
def test_the_loss_of_a_window_is_the_mean_over_its_prefixes(name: str) -> None:
    together, apart = (
        build(name, dropout=0.0, targets=targets, loss="cross-entropy") for targets in ("all", "prefixes")
    )
    window = np.array([7, 3, 9, 4], dtype=np.int32)
    prefixes = apart.examples([window])
    assert [prefix.tolist() for prefix in prefixes] == [[7, 3], [7, 3, 9], [7, 3, 9, 4]]
    assert together.examples([window])[0] is window
    alone = [apart.loss(as_padded([prefix], LENGTH + 1), rng(1, "loss")).item() for prefix in prefixes]
    whole = together.loss(as_padded([window], LENGTH + 1), rng(1, "loss")).item()
    assert whole == pytest.approx(np.mean(alone), rel=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_scores_are_finite_and_one_column_an_item(name: str) -> None:
    scores = build(name).eval().scores(batch()[:, 1:])
    assert scores.shape == (5, N_ITEMS + 1)
    assert torch.isfinite(scores).all()
    assert (scores[:, 0] == 0).all()


# Losses of the first three steps, dropout included; they change with the model, the loss or the order of draws.
LITERALS = [
    ("bert4rec", {}, [3.3639, 3.4177, 3.3233]),
    ("bert4rec", {"loss": "sampled-softmax", "negatives": 3}, [1.3575, 1.4270, 1.3363]),
    ("bert4rec", {"loss": "bce"}, [1.3653, 1.3935, 1.4107]),
    ("bert4rec", {"loss": "gbce", "negatives": 3}, [2.3151, 2.3420, 2.2515]),
    ("core", {}, [10.5036, 8.3206, 5.4684]),
    ("core", {"targets": "last"}, [9.6881, 5.8379, 1.3415]),
    ("gru4rec", {}, [3.3979, 3.3636, 3.3296]),
    ("gru4rec", {"loss": "sampled-softmax", "negatives": 3}, [1.3806, 1.3591, 1.3286]),
    ("lrurec", {}, [3.4243, 3.2974, 3.1672]),
    ("lrurec", {"targets": "last"}, [3.4117, 3.2259, 3.0204]),
    ("narm", {}, [3.4013, 3.3967, 3.3843]),
    ("narm", {"targets": "last"}, [3.4013, 3.3927, 3.3664]),
    ("sasrec", {}, [1.3643, 1.3208, 1.2429]),
    ("sasrec", {"targets": "last"}, [1.3915, 1.3116, 1.2619]),
    ("sasrec", {"loss": "cross-entropy"}, [3.3883, 3.2383, 3.1103]),
    ("sasrec", {"loss": "sampled-softmax", "negatives": 3}, [1.3652, 1.2718, 1.1567]),
    ("sasrec", {"loss": "gbce", "negatives": 3}, [2.3005, 2.2779, 2.2158]),
]


@pytest.mark.parametrize(("name", "settings", "losses"), LITERALS)
def test_first_losses(name: str, settings: dict[str, object], losses: list[float]) -> None:
    model = build(name, **settings).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    found = []
    for step in range(3):
        with seeded(1, "dropout", step):
            loss = model.loss(batch(), rng(1, "loss", step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found == pytest.approx(losses, abs=1e-4)


@pytest.mark.parametrize("name", SYSTEMS)
def test_dropout_is_what_the_setting_says_wherever_a_system_drops_out(name: str) -> None:
    shares = {module.p for module in build(name, dropout=0.37).modules() if isinstance(module, Dropout)}
    assert shares == {0.37}
    without = [build(name, dropout=0.0).train().loss(batch(), rng(1)).item() for _ in range(2)]
    assert without[0] == without[1]


@pytest.mark.parametrize("name", SYSTEMS)
def test_same_seed_twice(name: str, tmp_path: Path) -> None:
    one, two = fit(name, tmp_path / "a").weights(), fit(name, tmp_path / "b").weights()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("name", SYSTEMS)
def test_killed_between_validations_it_resumes_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(name, tmp_path / "whole").weights()
    model = type(build(name))
    original, calls = model.loss, 0

    def dies(self: SequenceModel, windows: Tensor, random: np.random.Generator) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt
        return original(self, windows, random)

    with monkeypatch.context() as patched:
        patched.setattr(model, "loss", dies)
        with pytest.raises(KeyboardInterrupt):
            fit(name, tmp_path / "killed")
    resumed = fit(name, tmp_path / "killed").weights()
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


@pytest.mark.parametrize("name", ["core", "gru4rec", "lrurec", "sasrec"])
def test_a_later_item_changes_no_earlier_feature(name: str) -> None:
    model = build(name).eval()
    history = torch.arange(1, 7)[None]
    changed = history.clone()
    changed[0, 4] = 20
    before, after = model.features(pack(history, CPU)), model.features(pack(changed, CPU))
    torch.testing.assert_close(before[:4], after[:4], atol=0, rtol=0)
    assert not torch.allclose(before[4:], after[4:])


@pytest.mark.parametrize("name", SYSTEMS)
def test_training_reads_no_target_of_validation_or_test(name: str, tmp_path: Path) -> None:
    data = dataset(random_histories(12, N_ITEMS), N_ITEMS)
    given, split = context(tmp_path, data, LENGTH)
    spec = find(name)
    system = spec.build(spec.config(**{**SMALL, "max_steps": 3}))
    seen: set[tuple[int, ...]] = set()
    build_model = system.build

    def spying(*arguments: object) -> SequenceModel:
        model = build_model(*arguments)
        original = model.loss

        def loss(windows: Tensor, random: np.random.Generator) -> Tensor:
            seen.update(tuple(row[row > 0].tolist()) for row in windows)
            return original(windows, random)

        model.loss = loss
        return model

    system.build = spying
    system.fit(split.train, given)
    train_items = [tuple(items.tolist()) for items in split.train]
    contained = [any(w == t[i : i + len(w)] for t in train_items for i in range(len(t))) for w in seen]
    assert len(seen) >= 12
    assert all(contained)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_cuda_device_trains_and_scores_as_the_cpu_does(name: str, tmp_path: Path) -> None:
    data, spec = cycle(), find(name)
    given, split = context(tmp_path, data, LENGTH, device=torch.device("cuda"))
    system = spec.build(spec.config(**SMALL))
    record = system.fit(split.train, given)
    queries = Queries(torch.arange(5), torch.arange(1, 6)[:, None])
    scores = system.score(queries).cpu()
    system.model.cpu()
    assert record.steps == 20
    torch.testing.assert_close(scores, system.score(queries), atol=1e-4, rtol=1e-3)


def test_candidates_are_scored_in_their_order(tmp_path: Path) -> None:
    system = fit("lrurec", tmp_path, max_steps=1)
    history, candidates = batch()[:, 1:], torch.tensor([[3, 1, 2]] * 5)
    everything = system.score(Queries(torch.arange(5), history))
    some = system.score(Queries(torch.arange(5), history, candidates))
    assert torch.equal(some, everything[:, [3, 1, 2]])


@pytest.mark.parametrize("name", [*SYSTEMS, "popularity"])
def test_restored_from_its_weights_it_scores_the_same(name: str, tmp_path: Path) -> None:
    data = dataset(random_histories(20, N_ITEMS), N_ITEMS)
    given, split = context(tmp_path, data, LENGTH)
    spec = find(name)
    settings = spec.config.model_validate({} if name == "popularity" else SMALL)
    fitted, restored = spec.build(settings), spec.build(settings)
    fitted.fit(split.train, given)
    restored.restore({key: value.clone() for key, value in fitted.weights().items()}, given)
    queries = Queries(torch.arange(5), batch()[:, 1:])
    assert torch.equal(fitted.score(queries), restored.score(queries))


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    fitted = fit("lrurec", tmp_path, max_steps=1)
    given, _ = context(tmp_path, dataset(random_histories(20, N_ITEMS), N_ITEMS), LENGTH)
    other = find("lrurec").build(find("lrurec").config(width=8))
    with pytest.raises(InputError, match=r"weights: tensor \S+ is \[.*\]; this model's is \["):
        other.restore(fitted.weights(), given)
    with pytest.raises(InputError, match=r"weights: tensor bias is none; this model's is \[30\]"):
        fitted.restore({key: value for key, value in fitted.weights().items() if key != "bias"}, given)


def test_nothing_to_train_on_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made-up: no user has 2 training items"):
        fit("lrurec", tmp_path, dataset([[1, 2, 3], [2, 3, 1]], 3))


def test_popularity_counts_training_items_only(tmp_path: Path) -> None:
    spec = find("popularity")
    given, split = context(tmp_path, dataset([[1, 2, 3, 4], [1, 2, 4, 3], [1, 4, 4, 4]], 5))
    system = spec.build(spec.config())
    record = system.fit(split.train, given)
    scores = system.score(Queries(torch.tensor([1, 2]), torch.tensor([[1], [2]])))
    assert scores.tolist() == [[0, 3, 2, 0, 1, 0]] * 2
    scores[0] = -1  # the task masks in place
    assert system.weights()["counts"].tolist() == [0, 3, 2, 0, 1, 0]
    assert system.score(Queries(torch.tensor([1]), torch.tensor([[1]]), torch.tensor([[4, 1]]))).tolist() == [[1, 3]]
    assert (record.steps, record.stopped, record.monitor) == (0, "closed form", None)
