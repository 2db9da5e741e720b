import numpy as np
import pytest
import torch

from harness.config import Exclude, TaskConfig
from harness.data.splits import leave_one_out
from harness.errors import InputError
from harness.metrics import METRICS, estimate
from harness.system import Queries
from harness.tasks import next_item, rerank
from tests.worlds import dataset, random_histories

CPU = torch.device("cpu")
DATA = dataset(random_histories(40, 30), n_items=30)
TASK = next_item.part(DATA, leave_one_out(DATA), "test", TaskConfig(candidates=6))
SCORES = torch.rand(41, 31, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def retrieved() -> rerank.Retrieved:
    outcomes, lists = next_item.answer(lambda queries: SCORES[queries.user], TASK, CPU, keep=6)
    return rerank.Retrieved(lists, outcomes)


def test_the_retrievers_own_scores_give_the_retrievers_ranks(retrieved: rerank.Retrieved) -> None:
    users = rerank.sample(TASK, retrieved, None, seed=1)

    def scorer(queries: Queries) -> torch.Tensor:
        assert queries.candidates is not None
        return SCORES[queries.user[:, None], queries.candidates]

    whole = rerank.complete(rerank.answer(scorer, TASK, retrieved, users, CPU), retrieved)
    assert whole.rank.tolist() == retrieved.outcomes.rank.tolist()
    assert 0 < len(users) < 40
    assert (whole.asked == (retrieved.outcomes.rank <= 6)).all()


def test_whole_set_is_coverage_times_subset(retrieved: rerank.Retrieved) -> None:
    users = rerank.sample(TASK, retrieved, None, seed=1)
    asked = rerank.answer(lambda q: torch.rand(len(q), 6), TASK, retrieved, users, CPU)
    whole = rerank.complete(asked, retrieved)
    for metric in METRICS:
        assert estimate(whole, metric, 5) == pytest.approx(len(users) / 40 * estimate(asked, metric, 5))


def test_a_constant_ranker_puts_every_target_last(retrieved: rerank.Retrieved) -> None:
    users = rerank.sample(TASK, retrieved, None, seed=1)
    asked = rerank.answer(lambda q: torch.zeros(len(q), 6), TASK, retrieved, users, CPU)
    assert (asked.rank == 6).all()
    assert (asked.ties == 5).all()


def test_a_limited_sample_is_seeded_and_holds_only_retrieved_users(retrieved: rerank.Retrieved) -> None:
    everyone = rerank.sample(TASK, retrieved, None, seed=1)
    few = rerank.sample(TASK, retrieved, 3, seed=1)
    assert len(few) == 3
    assert set(few) <= set(everyone)
    assert few.tolist() == rerank.sample(TASK, retrieved, 3, seed=1).tolist()
    assert any(few.tolist() != rerank.sample(TASK, retrieved, 3, seed=s).tolist() for s in range(2, 6))


def test_lists_that_are_too_short_are_refused(retrieved: rerank.Retrieved) -> None:
    short = np.where(retrieved.lists == retrieved.lists[0, 0], 0, retrieved.lists)
    rerank.check([retrieved.lists, retrieved.lists], 6, "made-up")
    for parts in ([retrieved.lists, short], [short, retrieved.lists]):
        with pytest.raises(InputError, match=r"made-up: .* than task\.candidates=6; 5 would fit"):
            rerank.check(parts, 6, "made-up")


@pytest.mark.parametrize("exclude", ["window", "history", "none"])
def test_retrieving_for_a_history_gives_the_tasks_list(exclude: Exclude) -> None:
    config = TaskConfig(candidates=6, window=4, exclude=exclude)
    task = next_item.part(DATA, leave_one_out(DATA), "test", config)

    def scorer(queries: Queries) -> torch.Tensor:
        return SCORES[queries.history[:, -1]]

    _, lists = next_item.answer(scorer, task, CPU, keep=6)
    for user in range(1, 41):
        found = rerank.retrieve(scorer, task.history(user), int(task.targets[user - 1]), config, CPU)
        assert found.tolist() == lists[user - 1].tolist()


def test_what_the_window_holds_is_not_retrieved_but_for_the_answer() -> None:
    config = TaskConfig(candidates=6, window=2)
    low_ids_first = -torch.arange(31.0)[None]
    found = rerank.retrieve(lambda queries: low_ids_first, np.array([3, 1, 2], dtype=np.int32), 2, config, CPU)
    assert found.tolist() == [2, 3, 4, 5, 6, 7]
    catalogue = -torch.arange(5.0)[None]
    found = rerank.retrieve(lambda queries: catalogue, np.array([1, 2], dtype=np.int32), 4, config, CPU)
    assert found.tolist() == [3, 4]
