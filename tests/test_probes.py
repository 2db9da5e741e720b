import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import baselines  # noqa: F401  registers the systems
from harness import positions, probes, store
from harness.config import Probe, RunConfig, TaskConfig
from harness.data.splits import leave_one_out
from harness.errors import InputError
from harness.resolve import resolve
from harness.system import Queries, Scorer, find
from harness.tasks import next_item, rerank
from tests.made_runs import make_run
from tests.worlds import dataset, random_histories

CPU = torch.device("cpu")
DATA = dataset(random_histories(40, 30), n_items=30)
TASK = next_item.part(DATA, leave_one_out(DATA), "test", TaskConfig(candidates=6))
SCORES = torch.rand(41, 31, generator=torch.Generator().manual_seed(3))
ORDERS: tuple[Probe, ...] = ("order:retriever", "order:reversed", "order:shuffled", "order:target-last")


def config(probe: Probe | None, seed: int = 1) -> RunConfig:
    return RunConfig(
        system="s", dataset="d", task=TaskConfig(), profile="smoke", seed=seed, device="cpu", settings={}, probe=probe
    )


@pytest.fixture(scope="module")
def retrieved() -> rerank.Retrieved:
    outcomes, lists = next_item.answer(lambda queries: SCORES[queries.user], TASK, CPU, keep=6)
    return rerank.Retrieved(lists, outcomes)


@pytest.mark.parametrize("probe", [*ORDERS, "permute-ids", "ceiling"])
def test_probes_that_make_no_sense_among_drawn_candidates_are_refused(probe: Probe) -> None:
    asked = config(probe).model_copy(update={"task": TaskConfig(name="candidates")})
    with pytest.raises(InputError, match=f"--probe {probe}: .*task candidates .*; take task next-item"):
        probes.check(asked, find("sasrec"))
    probes.check(asked.model_copy(update={"probe": "label-blind"}), find("sasrec"))


def ranks(scorer: Scorer, probe: Probe, retrieved: rerank.Retrieved) -> list[int]:
    """Ranks of the retrieved users' targets, candidates in the order of the probe."""
    lists = probes.shown(config(probe), retrieved.lists, TASK.targets, DATA.n_items)
    shown = dataclasses.replace(retrieved, lists=lists)
    return rerank.answer(scorer, TASK, shown, rerank.sample(TASK, shown, None, 1), CPU).rank.tolist()


def letter_a(queries: Queries) -> torch.Tensor:
    """Prefers whatever stands first, then second, ..."""
    assert queries.candidates is not None
    return -torch.arange(queries.candidates.shape[1]).repeat(len(queries), 1).float()


def item_alone(queries: Queries) -> torch.Tensor:
    """Reads the items, not their places."""
    assert queries.candidates is not None
    return torch.sin(queries.candidates.double())


def test_orders_worked_by_hand() -> None:
    lists, targets = np.array([[5, 6, 7], [1, 2, 3]], dtype=np.int32), np.array([6, 9], dtype=np.int32)

    def shown(probe: Probe | None) -> list[list[int]]:
        return probes.shown(config(probe), lists, targets, 9).tolist()

    assert shown(None) == shown("label-blind") == shown("order:retriever") == lists.tolist()
    assert shown("order:reversed") == [[7, 6, 5], [3, 2, 1]]
    assert shown("order:target-last") == [[5, 7, 6], [1, 2, 3]]


def test_a_shuffle_is_drawn_for_each_user_from_the_seed() -> None:
    lists = np.tile(np.arange(1, 21, dtype=np.int32), (3, 1))

    def shown(rows: int, seed: int) -> list[list[int]]:
        return probes.shown(config("order:shuffled", seed), lists[:rows], np.ones(rows, dtype=np.int32), 20).tolist()

    first = shown(3, seed=1)
    assert all(sorted(row) == list(range(1, 21)) for row in first)
    assert first[0] != first[1] != first[2]
    assert shown(2, seed=1) == first[:2]
    assert all(one != other for one, other in zip(shown(3, seed=2), first, strict=True))


def test_a_ranker_that_loves_letter_a_keeps_reverses_or_loses(retrieved: rerank.Retrieved) -> None:
    own = retrieved.outcomes.rank[retrieved.outcomes.rank <= 6].tolist()
    assert len(set(own)) > 3
    assert ranks(letter_a, "order:retriever", retrieved) == own
    assert ranks(letter_a, "order:reversed", retrieved) == [7 - rank for rank in own]
    assert ranks(letter_a, "order:target-last", retrieved) == [6] * len(own)


@pytest.mark.parametrize("order", ORDERS)
def test_a_ranker_that_reads_the_item_alone_ranks_alike_in_every_order(
    order: Probe, retrieved: rerank.Retrieved
) -> None:
    assert ranks(item_alone, order, retrieved) == ranks(item_alone, "order:retriever", retrieved)


def test_a_perfect_ranker_puts_every_retrieved_target_first(retrieved: rerank.Retrieved) -> None:
    asked = rerank.answer(
        probes.Perfect(TASK.targets).score, TASK, retrieved, rerank.sample(TASK, retrieved, None, 1), CPU
    )
    whole = rerank.complete(asked, retrieved)
    own = retrieved.outcomes.rank
    assert whole.rank.tolist() == [1 if rank <= 6 else rank for rank in own]
    assert not whole.ties[own <= 6].any()


@given(items=st.integers(1, 50), seed=st.integers(0, 1000))
def test_new_ids_are_a_permutation_that_leaves_padding(items: int, seed: int) -> None:
    ids = probes.new_ids(items, seed)
    assert ids[0] == 0
    assert sorted(ids[1:]) == list(range(1, items + 1))
    assert ids.tolist() == probes.new_ids(items, seed).tolist()


def test_a_renumbered_item_keeps_its_texts_and_its_place_in_time() -> None:
    data = dataclasses.replace(DATA, fields={"genre": ("", *(f"g{item}" for item in range(1, 31)))})
    ids = probes.new_ids(30, seed=1)
    other = probes.renumbered(data, ids)
    assert (other.sequences.items != data.sequences.items).any()
    assert other.sequences.items.tolist() == [ids[item] for item in data.sequences.items]
    for old in range(31):
        assert other.titles[ids[old]] == data.titles[old]
        assert other.raw_items[ids[old]] == data.raw_items[old]
        assert other.fields["genre"][ids[old]] == data.fields["genre"][old]
    assert probes.shown(config("permute-ids"), np.array([[1, 30, 0]], dtype=np.int32), np.array([1]), 30).tolist() == [
        [ids[1], ids[30], 0]
    ]


def test_ids_are_not_permuted_where_a_retriever_helps_to_train() -> None:
    ranker = resolve("llamarec", "ml-latest-small", "smoke", 1, "cpu", {"train_candidates": "retrieved"})
    with pytest.raises(InputError, match="its retriever knows the old ids; leave out train_candidates=retrieved"):
        probes.check(ranker.model_copy(update={"probe": "permute-ids"}), find("llamarec"))


def test_an_unknown_probe_is_refused_by_name() -> None:
    assert probes.of_name("ceiling") == "ceiling"
    with pytest.raises(InputError, match="--probe order:random: unknown; known: order:retriever"):
        probes.of_name("order:random")


def test_the_score_by_position_worked_by_hand(tmp_path: Path) -> None:
    run = make_run(tmp_path, "llamarec", [1, 40, 2, 3], asked=[True, False, True, True], probe="order:reversed")
    positions.write(np.array([1, 3, 4]), np.array([2, 27, 2]), run.folder)
    b, beyond = positions.by_position(run)
    assert (b["letter"], b["position"], b["users"], b["mean_rank"]) == ("B", 2, 2, 2.0)
    assert b["NDCG@10"] == pytest.approx((1 + 0.5) / 2)
    assert b["MRR@10"] == pytest.approx((1 + 1 / 3) / 2)
    assert (beyond["letter"], beyond["position"], beyond["users"], beyond["mean_rank"]) == ("", 27, 1, 2.0)


def test_a_run_without_a_probe_or_a_limit_is_known_by_what_it_would_be_if_there_were_none() -> None:
    plain = config(None)
    settled = plain.model_dump(mode="json", exclude={"probe": True, "task": {"negatives", "test_limit"}})
    without = json.dumps({"config": settled, "inputs": {}}, sort_keys=True)
    assert store.identity(plain, {}) == hashlib.sha256(without.encode()).hexdigest()[:16]
    assert len({store.identity(config(probe), {"a": "0"}) for probe in (None, *ORDERS)}) == 5
