"""What must hold of NeuMF, DIN and DIEN."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import baselines  # noqa: F401  registers the systems
from baselines.click import ClickModel, ClickSystem, click_loss
from baselines.dien import AUGRU, DIEN, DIENConfig
from baselines.din import DIN, DINConfig
from baselines.ncf import NCFConfig, NeuMF
from baselines.objective import negatives
from harness.config import TaskConfig
from harness.data.dataset import Dataset
from harness.data.splits import split_of
from harness.errors import InputError
from harness.metrics import estimate
from harness.outcomes import Outcomes
from harness.record import FitRecord
from harness.seeds import rng, seeded
from harness.system import Context, Queries, Scorer, find
from harness.tasks import candidates
from harness.tasks.next_item import Part
from tests.support import CPU, context
from tests.worlds import case_set, dataset, random_histories

SYSTEMS = ("dien", "din", "ncf")
N_USERS, N_ITEMS, WINDOW = 12, 30, 6
SMALL = {"batch_size": 8, "validate_every": 10, "max_steps": 20}
PARTS = ("train",) * 6 + ("validation",) * 3 + ("test",) * 3
CASES = case_set(random_histories(N_USERS, N_ITEMS), PARTS, N_ITEMS)
USER, HISTORY = torch.tensor([1, 2, 3]), torch.tensor([[0, 0, 5, 9], [1, 2, 3, 4], [0, 6, 7, 6]])
ITEMS = torch.tensor([[8, 1, 5, 2], [9, 30, 4, 3], [6, 7, 8, 9]])


def asked(scorer: Scorer, data: Dataset, part: Part, seed: int = 1) -> Outcomes:
    """Outcomes among 9 drawn candidates and the target."""
    task = candidates.part(data, split_of(data), part, TaskConfig(name="candidates", window=WINDOW, candidates=9), seed)
    return candidates.answer(scorer, task, CPU)


def given(folder: Path, data: Dataset = CASES) -> Context:
    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        return asked(scorer, data, "validation")

    return replace(context(folder, data, WINDOW)[0], validate=validate)


def fit(name: str, folder: Path, data: Dataset = CASES, **settings: object) -> tuple[ClickSystem, FitRecord]:
    spec = find(name)
    system = spec.build(spec.config(**{**SMALL, **settings}))
    return system, system.fit(split_of(data).train, given(folder, data))


def build(name: str) -> ClickModel:
    """A seeded model whose logits differ well: layers as they start, vectors twenty times as long."""
    spec = find(name)
    with seeded(1, "init"):
        model = spec.build(spec.config()).build(spec.config(), N_USERS, N_ITEMS)
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.weight.data *= 20
    return model


# Losses of the first three steps; they change with the model, the loss or the order of draws.
@pytest.mark.parametrize(
    ("name", "losses"),
    [("dien", [2.1256, 1.8306, 1.6926]), ("din", [0.7102, 0.4321, 0.1993]), ("ncf", [0.7327, 0.684, 0.6627])],
)
def test_first_losses(name: str, losses: list[float]) -> None:
    model = build(name).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    found = []
    for step in range(3):
        loss = model.loss(USER, HISTORY, ITEMS, rng(1, "loss", step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found == pytest.approx(losses, abs=1e-4)


def test_the_click_loss_by_hand() -> None:
    logits = torch.tensor([[np.log(3.0), 0.0], [0.0, -np.log(3.0)]])  # odds 3 : 1, even, even, 1 : 3
    expected = -(np.log(3 / 4) + np.log(1 / 2) + np.log(1 / 2) + np.log(3 / 4)) / 4
    assert click_loss(logits).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", SYSTEMS)
def test_padding_other_queries_and_the_candidates_order_change_no_score(name: str) -> None:
    model = build(name).eval()
    together = model.logits(USER, HISTORY, ITEMS)
    assert together.shape == ITEMS.shape
    assert together.std() > 0.01
    torch.testing.assert_close(model.logits(USER, torch.nn.functional.pad(HISTORY, (5, 0)), ITEMS), together)
    for row in range(3):
        history = HISTORY[row][HISTORY[row] > 0][None]
        alone = model.logits(USER[row, None], history, ITEMS[row, None].flip(1)).flip(1)
        torch.testing.assert_close(alone, together[row, None], atol=1e-5, rtol=1e-4)


def test_neumf_by_hand() -> None:
    with seeded(1, "init"):
        model = NeuMF(NCFConfig(factors=2), N_USERS, N_ITEMS).double()
    weight = {name: value.numpy() for name, value in model.state_dict().items()}
    p, q = weight["factor_user.weight"][4], weight["factor_item.weight"][7]
    layer = np.concatenate([weight["tower_user.weight"][4], weight["tower_item.weight"][7]])
    assert [weight[f"tower.{n}.0.weight"].shape for n in range(3)] == [(8, 16), (4, 8), (2, 4)]
    for n in range(3):
        layer = np.maximum(weight[f"tower.{n}.0.weight"] @ layer + weight[f"tower.{n}.0.bias"], 0)
    expected = weight["last.weight"][0] @ np.concatenate([p * q, layer])
    assert model.logits(torch.tensor([4]), HISTORY[:1], torch.tensor([[7]])).item() == pytest.approx(expected)


def test_neumf_tells_users_apart_by_id_and_gives_an_unknown_one_no_factors() -> None:
    model = build("ncf").eval()
    one, other = (model.logits(torch.tensor([user]), HISTORY[:1], ITEMS[:1]) for user in (1, 2))
    assert not torch.allclose(one, other)
    assert torch.equal(model.logits(USER, HISTORY, ITEMS), model.logits(USER, HISTORY.flip(0), ITEMS))
    assert not model.factor_user.weight[0].any()
    assert not model.tower_user.weight[0].any()


@pytest.mark.parametrize("name", ["dien", "din"])
def test_systems_that_read_the_history_know_no_user_id(name: str) -> None:
    model = build(name).eval()
    assert torch.equal(model.logits(USER, HISTORY, ITEMS), model.logits(USER.flip(0), HISTORY, ITEMS))
    assert not torch.allclose(model.logits(USER, HISTORY, ITEMS), model.logits(USER, HISTORY.flip(0), ITEMS))


def test_dins_attention_by_hand() -> None:
    with seeded(1, "init"):
        model = DIN(DINConfig(width=3, units=4), N_USERS, N_ITEMS).double()
    model.embedding.weight.data *= 100
    vectors, unit = (
        model.embedding.weight.detach().numpy(),
        [value.detach().numpy() for value in model.unit.parameters()],
    )
    (inner, shift, slope, outer, last), judged = unit, vectors[8]
    pooled = np.zeros(3)
    for item in (5, 9):  # the first history, without its padding
        past = vectors[item]
        hidden = inner @ np.concatenate([judged, past, judged - past, judged * past]) + shift
        hidden = np.where(hidden > 0, hidden, slope * hidden)
        pooled += (outer @ hidden + last)[0] * past  # a weight may be negative, and they need not sum to 1
    expected = model.tower(torch.from_numpy(np.concatenate([pooled, judged]))[None, None])
    torch.testing.assert_close(model.logits(USER[:1], HISTORY[:1], ITEMS[:1, :1]), expected)


def augru(gru: AUGRU, inputs: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """The paper's equations, one step after the other: inputs [T, d], attention [T] -> the last state [d]."""
    sigmoid, d = lambda x: 1 / (1 + np.exp(-x)), inputs.shape[1]
    w, b, u = (value.detach().numpy() for value in (gru.input.weight, gru.input.bias, gru.state.weight))
    h = np.zeros(d)
    for i, a in zip(inputs, attention, strict=True):
        update = sigmoid(w[:d] @ i + u[:d] @ h + b[:d])
        reset = sigmoid(w[d : 2 * d] @ i + u[d : 2 * d] @ h + b[d : 2 * d])
        proposed = np.tanh(w[2 * d :] @ i + reset * (u[2 * d :] @ h) + b[2 * d :])
        h = (1 - a * update) * h + a * update * proposed
    return h


def test_augru_by_hand() -> None:
    with seeded(1, "init"):
        gru = AUGRU(3).double()
        inputs, attention = torch.randn(2, 5, 3).double(), torch.rand(2, 4, 5).double()
    attention[1, :, :2] = 0
    found = gru(inputs, attention).detach().numpy()
    for row in range(2):
        for item in range(4):
            expected = augru(gru, inputs[row].numpy(), attention[row, item].numpy())
            assert found[row, item] == pytest.approx(expected)
    late = gru(inputs[1:, 2:], attention[1:, :, 2:])
    torch.testing.assert_close(torch.from_numpy(found[1:]), late)


def test_diens_attention_is_a_softmax_over_the_history() -> None:
    with seeded(1, "init"):
        model = DIEN(DIENConfig(width=3), N_USERS, N_ITEMS).double()
    model.embedding.weight.data *= 100
    states = model.interests(HISTORY[:1])[0]
    assert not states[:2].any()
    judged = model.embedding.weight[8]
    odds = torch.stack([torch.exp(state @ model.bearing.weight @ judged) for state in states[2:]])
    attention = (odds / odds.sum()).detach().numpy()
    final = torch.from_numpy(augru(model.evolution, states[2:].detach().numpy(), attention))
    expected = model.tower(torch.cat([final, judged])[None, None])
    torch.testing.assert_close(model.logits(USER[:1], HISTORY[:1], ITEMS[:1, :1]), expected)


def test_diens_auxiliary_loss_by_hand() -> None:
    model = build("dien")
    states, vectors = model.interests(HISTORY), model.embedding.weight
    drawn = negatives(HISTORY.numpy(), N_ITEMS, (4, 1), rng(1))[..., 0]
    each = []
    for row, (history, other) in enumerate(zip(HISTORY.tolist(), drawn.tolist(), strict=True)):
        for place in range(3):
            if history[place]:
                true, false = (states[row, place] @ vectors[item[place + 1]] for item in (history, other))
                each.append(-torch.log(torch.sigmoid(true)) - torch.log(1 - torch.sigmoid(false)))
    assert len(each) == 1 + 3 + 2
    expected = torch.stack(each).mean()
    torch.testing.assert_close(model.auxiliary_loss(states, HISTORY, rng(1)), expected)
    clicks = click_loss(model.logits(USER, HISTORY, ITEMS))
    torch.testing.assert_close(model.loss(USER, HISTORY, ITEMS, rng(1)), clicks + expected)


def test_dien_learns_from_histories_of_one_item() -> None:
    model = build("dien")
    history = torch.tensor([[5], [1], [6]])
    torch.testing.assert_close(model.loss(USER, history, ITEMS, rng(1)), click_loss(model.logits(USER, history, ITEMS)))


@pytest.mark.parametrize(("name", "clicks"), [("din", 3 + 2), ("ncf", 4 + 3)])
def test_training_sees_each_click_once_with_what_was_before_it(name: str, clicks: int, tmp_path: Path) -> None:
    data = case_set([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]], ["train", "test", "validation"], N_ITEMS)
    spec = find(name)
    system = spec.build(spec.config(batch_size=4, max_epochs=1))
    seen: list[tuple[int, list[int], list[int]]] = []
    build_model = system.build

    def spying(*arguments: object) -> ClickModel:
        model = build_model(*arguments)
        original = model.loss

        def loss(user: Tensor, history: Tensor, items: Tensor, random: np.random.Generator) -> Tensor:
            seen.extend(
                zip(user.tolist(), ([i for i in row if i] for row in history.tolist()), items.tolist(), strict=True)
            )
            return original(user, history, items, random)

        model.loss = loss
        return model

    system.build = spying
    system.fit(split_of(data).train, given(tmp_path, data))
    whole = {1: [1, 2, 3, 4], 2: [5, 6, 7], 3: [9]}  # no validation or test answer
    first = 0 if name == "ncf" else 1
    expected = [(user, own[:at], own[at]) for user, own in whole.items() for at in range(first, len(own))]
    assert len(expected) == clicks + (name == "ncf")
    assert sorted((user, history, items[0]) for user, history, items in seen) == expected
    for user, _, items in seen:
        assert not set(items[1:]) & set(whole[user])
        assert len(items) == 1 + system.settings.negatives


@pytest.mark.parametrize("name", SYSTEMS)
def test_learns_who_likes_what_where_popularity_cannot(name: str, tmp_path: Path) -> None:
    """A third of the users read items 1 to 10 only, a third 11 to 20, a third 21 to 30; no item is liked by most."""
    histories = [(rng(u, "likes").permutation(10)[:7] + 1 + 10 * (u % 3)).tolist() for u in range(60)]
    data = case_set(histories, ["train", "train", "validation", "test", "test", "test"] * 10, N_ITEMS)
    budget = {"batch_size": 32, "max_steps": 150, "validate_every": 50, "monitor": "MRR@5"}
    system, _ = fit(name, tmp_path, data, learning_rate=0.01, **budget)
    popularity = find("popularity").build(find("popularity").config())
    popularity.fit(split_of(data).train, given(tmp_path, data))
    found, floor = (estimate(asked(one.score, data, "test"), "Recall", 5) for one in (system, popularity))
    assert floor < 0.7  # chance is a half
    assert found > 0.85


@pytest.mark.parametrize("name", SYSTEMS)
def test_same_seed_twice_and_restored_from_its_weights(name: str, tmp_path: Path) -> None:
    (one, said), (two, again) = fit(name, tmp_path / "a"), fit(name, tmp_path / "b")
    assert said == again.model_copy(update={"elapsed_s": said.elapsed_s})
    assert "history" in said.notes["unseen_user"]
    weights = one.weights()
    assert all(torch.equal(weights[key], two.weights()[key]) for key in weights)
    restored = find(name).build(one.settings)
    restored.restore({key: value.clone() for key, value in weights.items()}, given(tmp_path))
    queries = Queries(USER, HISTORY, ITEMS)
    assert torch.equal(restored.score(queries), one.score(queries))
    with pytest.raises(InputError, match="weights: tensor .* is none; this model's is"):
        restored.restore({}, given(tmp_path))


@pytest.mark.parametrize("name", SYSTEMS)
def test_killed_between_validations_it_resumes_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(name, tmp_path / "whole")[0].weights()
    kind = type(build(name))
    original, calls = kind.loss, 0

    def dies(self: ClickModel, *rest: object) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt
        return original(self, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "loss", dies)
        with pytest.raises(KeyboardInterrupt):
            fit(name, tmp_path / "killed")
    resumed = fit(name, tmp_path / "killed")[0].weights()
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


def test_nothing_to_train_on_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made-up: no user has 2 training items"):
        fit("din", tmp_path, dataset([[1, 2, 3], [2, 3, 1]], 12))
