import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config import Exclude, TaskConfig
from harness.data.splits import leave_one_out
from harness.metrics import METRICS, estimate
from harness.system import Queries
from harness.tasks import next_item
from tests.worlds import constant, dataset, random_histories

CPU = torch.device("cpu")


def test_a_constant_scorer_gets_zero_at_every_cut_off() -> None:
    data = dataset(random_histories(30, 80))
    task = next_item.part(data, leave_one_out(data), "test", TaskConfig())
    outcomes, _ = next_item.answer(lambda queries: constant(queries, data.n_items), task, CPU)
    assert all(estimate(outcomes, metric, k) == 0 for metric in METRICS for k in (1, 5, 10, 20))


def test_queries_hold_what_came_before_and_never_the_target() -> None:
    data = dataset([[1, 2, 3, 4, 5], [6, 7, 8]])
    split = leave_one_out(data)
    asked: dict[str, list[list[int]]] = {}
    for part in ("validation", "test"):
        task = next_item.part(data, split, part, TaskConfig(window=3))

        def scorer(queries: Queries, part: str = part) -> torch.Tensor:
            asked[part] = queries.history.tolist()
            return constant(queries, data.n_items)

        next_item.answer(scorer, task, CPU)
    assert asked == {"validation": [[0, 0, 6], [1, 2, 3]], "test": [[0, 6, 7], [2, 3, 4]]}
    assert (split.validation.tolist(), split.test.tolist()) == ([4, 7], [5, 8])


@pytest.mark.parametrize(("exclude", "rank"), [("window", 3), ("history", 1), ("none", 5)])
def test_what_is_excluded_follows_the_protocol(exclude: Exclude, rank: int) -> None:
    data = dataset([[1, 2, 3, 4, 5]])
    task = next_item.part(data, leave_one_out(data), "test", TaskConfig(window=2, exclude=exclude))
    popular_first = -torch.arange(6.0)[None]
    outcomes, lists = next_item.answer(lambda _: popular_first.clone(), task, CPU, keep=20)
    assert outcomes.rank.tolist() == [rank]
    assert lists.shape == (1, 5)
    assert lists[0, :rank].tolist() == {"window": [1, 2, 5], "history": [5], "none": [1, 2, 3, 4, 5]}[exclude]


def test_a_target_that_was_seen_is_counted_and_not_masked() -> None:
    data = dataset([[1, 2, 3, 1], [1, 2, 3, 4]])
    task = next_item.part(data, leave_one_out(data), "test", TaskConfig())
    outcomes, _ = next_item.answer(lambda q: -torch.arange(5.0).repeat(len(q), 1), task, CPU)
    assert task.target_seen() == 1
    assert outcomes.rank.tolist() == [1, 1]


@settings(max_examples=25)
@given(st.integers(1, 2**31), st.sampled_from(["window", "history", "none"]))
def test_ranks_agree_with_a_plain_sort_user_by_user(seed: int, exclude: Exclude) -> None:
    data = dataset(random_histories(20, 30, seed), n_items=30)
    scores = torch.rand(21, 31, generator=torch.Generator().manual_seed(seed))
    config = TaskConfig(window=4, exclude=exclude)
    task = next_item.part(data, leave_one_out(data), "test", config)
    outcomes, lists = next_item.answer(lambda queries: scores[queries.user], task, CPU, keep=20)
    assert outcomes.query.tolist() == list(range(1, 21))
    for user in range(1, 21):
        *history, target = data.sequences[user].tolist()
        gone = {"window": history[-4:], "history": history, "none": []}[exclude]
        order = [i for i in np.argsort(-scores[user].numpy(), kind="stable") if i and (i == target or i not in gone)]
        assert outcomes.rank[user - 1] == order.index(target) + 1
        assert lists[user - 1, : len(order)].tolist() == order[:20]


def test_a_system_that_writes_into_its_queries_changes_nothing() -> None:
    data = dataset(random_histories(20, 30), n_items=30)
    scores = torch.rand(21, 31, generator=torch.Generator().manual_seed(1))
    task = next_item.part(data, leave_one_out(data), "test", TaskConfig())

    def vandal(queries: Queries) -> torch.Tensor:
        answer = scores[queries.user]
        queries.user.fill_(1)
        queries.history.zero_()
        return answer

    ranks = [next_item.answer(each, task, CPU)[0].rank.tolist() for each in (vandal, lambda q: scores[q.user])]
    assert ranks[0] == ranks[1]


def test_some_users_are_answered_as_among_all() -> None:
    data = dataset(random_histories(60, 40), n_items=40)
    task = next_item.part(data, leave_one_out(data), "validation", TaskConfig())
    table = torch.randn(61, 41, generator=torch.Generator().manual_seed(1))

    def scorer(queries: Queries) -> torch.Tensor:
        return table[queries.user]

    some = next_item.sample(task, 7, seed=1)
    assert len(set(some.tolist())) == 7
    assert next_item.sample(task, None, seed=1).tolist() == task.users().tolist()
    whole, lists = next_item.answer(scorer, task, CPU, keep=5)
    part, own = next_item.answer(scorer, task, CPU, keep=5, users=some)
    expected = whole.take(np.isin(whole.query, some))
    assert part.query.tolist() == expected.query.tolist() == some.tolist()
    assert part.rank.tolist() == expected.rank.tolist()
    assert own.tolist() == lists[some - 1].tolist()
