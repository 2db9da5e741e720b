from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.config import Negatives, TaskConfig
from harness.data.splits import split_of
from harness.errors import InputError, WorkError
from harness.metrics import METRICS, estimate
from harness.outcomes import Outcomes
from harness.system import Queries
from harness.tasks import candidates
from harness.tasks.candidates import CandidateRanking
from harness.tasks.next_item import Part
from tests.worlds import case_set, dataset, random_histories

CPU = torch.device("cpu")
CONFIG = TaskConfig(name="candidates", window=4, candidates=6)
PARTS = (["train"] * 10 + ["validation"] * 10 + ["test"] * 20)[::-1]
CASES = case_set(random_histories(40, 30), PARTS, n_items=30)
LEFT_OUT = dataset(random_histories(40, 30), n_items=30)
SCORES = torch.rand(41, 31, generator=torch.Generator().manual_seed(3))


def task(data=CASES, name: Part = "test", config: TaskConfig = CONFIG, seed: int = 1) -> CandidateRanking:
    return candidates.part(data, split_of(data), name, config, seed)


def by_user_and_item(queries: Queries) -> torch.Tensor:
    assert queries.candidates is not None
    return SCORES[queries.user[:, None], queries.candidates]


def rows(outcomes: Outcomes) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in (outcomes.query, outcomes.rank, outcomes.ties)), strict=True))


def test_of_a_case_set_the_users_of_the_part_are_asked_and_of_others_everyone() -> None:
    assert task(name="test").users.tolist() == list(range(1, 21))
    assert task(name="validation").users.tolist() == list(range(21, 31))
    assert task(LEFT_OUT).users.tolist() == task(LEFT_OUT, "validation").users.tolist() == list(range(1, 41))


@pytest.mark.parametrize(
    ("data", "held_out"), [(CASES, {"validation": 1, "test": 1}), (LEFT_OUT, {"validation": 2, "test": 1})]
)
@pytest.mark.parametrize("name", ["validation", "test"])
def test_the_target_is_the_item_after_the_history(data, held_out: dict[str, int], name: Part) -> None:
    asked = task(data, name)
    shown = asked.queries(slice(0, None), CPU)
    for user, target, history in zip(asked.users, asked.targets, shown.history.tolist(), strict=True):
        items = data.sequences[user].tolist()
        assert target == items[-held_out[name]]
        assert [item for item in history if item] == items[: -held_out[name]][-4:]


@pytest.mark.parametrize("negatives", ["uniform", "popularity"])
def test_the_target_stands_once_among_different_items_at_any_place(negatives: Negatives) -> None:
    asked = task(LEFT_OUT, config=CONFIG.model_copy(update={"negatives": negatives}))
    assert asked.offered.shape == (40, 7)
    assert all(len(set(row)) == 7 for row in asked.offered.tolist())
    place = (asked.offered == asked.targets[:, None]).nonzero()[1]
    assert set(place.tolist()) == set(range(7))


def test_candidates_hang_on_the_seed_and_the_part_and_on_no_other_query() -> None:
    everyone, few = task(LEFT_OUT), task()
    again = case_set(random_histories(40, 30), ["train"] * 39 + ["test"], n_items=30)
    assert task(again).offered.tolist() == everyone.offered[-1:].tolist()
    assert few.offered.tolist() == everyone.offered[:20].tolist()
    assert few.offered.tolist() != task(seed=2).offered.tolist()
    same_targets = dataset([[1, 2, 3, 9, 9]] * 5, n_items=30)
    assert (task(same_targets).offered != task(same_targets, "validation").offered).any(axis=1).all()


def test_matched_negatives_are_about_as_popular_as_the_target_where_the_catalogue_has_such() -> None:
    weights = 1 / np.arange(1, 301)
    drawn = np.random.default_rng(5).choice(300, size=(400, 9), p=weights / weights.sum()) + 1
    data = case_set(drawn.tolist(), ["train"] * 200 + ["test"] * 200, n_items=300)
    counts = np.bincount(split_of(data).train.items, minlength=301)
    gaps = {}
    for negatives in ("uniform", "popularity"):
        asked = task(data, config=TaskConfig(name="candidates", candidates=20, negatives=negatives))
        target = counts[asked.targets]
        others = (counts[asked.offered].sum(axis=1) - target) / 20
        inside = target < np.sort(counts)[-20]
        gaps[negatives] = (target - others)[inside].mean() / target[inside].mean()
    assert abs(gaps["uniform"]) > 0.3
    assert abs(gaps["popularity"]) < 0.1


def test_ranks_agree_with_a_plain_sort() -> None:
    asked = task()
    outcomes = candidates.answer(by_user_and_item, asked, CPU)
    assert outcomes.query.tolist() == asked.users.tolist()
    assert outcomes.asked.all()
    for (user, rank, ties), offered, target in zip(rows(outcomes), asked.offered, asked.targets, strict=True):
        order = sorted(offered.tolist(), key=lambda item: -float(SCORES[user, item]))
        assert (rank, ties) == (order.index(target) + 1, 0)


def test_a_constant_scorer_comes_last_wherever_the_target_stands() -> None:
    outcomes = candidates.answer(lambda queries: torch.zeros(len(queries), 7), task(), CPU)
    assert set(outcomes.rank.tolist()) == {7}
    assert set(outcomes.ties.tolist()) == {6}
    assert all(estimate(outcomes, metric, 5) == 0 for metric in METRICS)
    assert estimate(outcomes, "Recall", 1, "target-first") == 1


def test_neither_the_batch_nor_a_system_that_writes_into_its_queries_changes_an_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def vandal(queries: Queries) -> torch.Tensor:
        scores = by_user_and_item(queries)
        assert queries.candidates is not None
        queries.candidates.fill_(1)
        queries.history.zero_()
        return scores

    whole = rows(candidates.answer(by_user_and_item, task(), CPU))
    assert rows(candidates.answer(vandal, task(), CPU)) == whole
    monkeypatch.setattr(candidates, "BATCH", 3)
    assert rows(candidates.answer(by_user_and_item, task(), CPU)) == whole


def test_a_sample_asks_its_queries_as_the_whole_does() -> None:
    whole = dict(zip(task().users.tolist(), rows(candidates.answer(by_user_and_item, task(), CPU)), strict=True))
    few = candidates.sample(task(), 5, seed=1)
    assert len(few) == 5
    assert few.users.tolist() == sorted(few.users.tolist()) == candidates.sample(task(), 5, seed=1).users.tolist()
    assert rows(candidates.answer(by_user_and_item, few, CPU)) == [whole[user] for user in few.users.tolist()]
    assert candidates.sample(task(), 99, seed=1).users.tolist() == task().users.tolist()


def test_a_limited_test_asks_the_same_users_whatever_the_seed() -> None:
    few = [candidates.limited(task(seed=seed), 7) for seed in (1, 2)]
    assert few[0].users.tolist() == few[1].users.tolist() == task().users[[0, 2, 5, 8, 11, 14, 17]].tolist()
    assert few[0].offered.tolist() != few[1].offered.tolist()
    whole = dict(zip(task().users.tolist(), rows(candidates.answer(by_user_and_item, task(), CPU)), strict=True))
    assert rows(candidates.answer(by_user_and_item, few[0], CPU)) == [whole[user] for user in few[0].users.tolist()]
    assert [len(candidates.limited(task(), limit)) for limit in (None, 20, 99)] == [20] * 3


@pytest.mark.parametrize("times", [0, 2])
def test_a_target_that_does_not_stand_once_is_an_error(times: int) -> None:
    asked = candidates.limited(task(), 1)
    others = [item for item in range(1, 30) if item != asked.targets[0]]
    offered = np.array([[asked.targets[0]] * times + others[: 7 - times]], dtype=np.int32)
    with pytest.raises(WorkError, match=f"query of user {asked.users[0]} offers its target {times} times"):
        candidates.answer(by_user_and_item, replace(asked, offered=offered), CPU)


def test_targets_that_stand_in_their_own_history_are_counted() -> None:
    data = case_set([[1, 2, 1], [1, 2, 3], [3, 4, 5, 4, 3]], ["test"] * 3, n_items=9)
    assert task(data).target_seen() == 2  # the third beyond the window of 4 as well


def test_a_catalogue_that_is_too_small_and_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match="made-up: has 30 items; task.candidates=30 needs at least 31"):
        task(config=TaskConfig(name="candidates", candidates=30))
    assert task(config=TaskConfig(name="candidates", candidates=29)).offered.shape == (20, 30)
    with pytest.raises(WorkError, match=r"expected a floating-point tensor \[20, 7\]"):
        candidates.answer(lambda queries: torch.zeros(len(queries), 31), task(), CPU)
