"""Full-catalogue ranking never holds users x items: its peak memory is flat in the number of users."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import PROFILE
from harness import peak_memory
from harness.config import TaskConfig
from harness.data.dataset import Dataset, Sequences
from harness.data.splits import leave_one_out
from harness.seeds import rng
from harness.system import Queries
from harness.tasks import next_item

ITEMS = 12_086
USERS = (1_000, 8_000) if PROFILE == "smoke" else (2_500, 5_000, 10_000, 20_000)


def world(users: int) -> Dataset:
    """Ten random items a user."""
    items = rng(1, "items", users).integers(1, ITEMS + 1, size=users * 10).astype(np.int32)
    names = tuple(map(str, range(ITEMS + 1)))
    return Dataset(
        "random",
        Sequences(items, np.arange(0, users * 10 + 1, 10)),
        None,
        names,
        names,
        tuple(map(str, range(users + 1))),
        (),
    )


def rank_everyone(users: int) -> int | None:
    """What ranking every user's target over the whole catalogue adds at its peak to the process's memory, in bytes."""
    data = world(users)
    task = next_item.part(data, leave_one_out(data), "test", TaskConfig())
    embedding = torch.randn(ITEMS + 1, 64)

    def scorer(queries: Queries) -> torch.Tensor:
        return embedding[queries.history[:, -1]] @ embedding.T

    device = torch.device("cpu")
    return peak_memory.added_bytes(lambda: next_item.answer(scorer, task, device), device)


@pytest.mark.usefixtures("frees_returned")
@pytest.mark.skipif(not peak_memory.CLEAR_REFS.exists(), reason="peak memory is read from Linux's /proc")
def test_peak_memory_is_flat_in_users(benchmark: BenchmarkFixture) -> None:
    def measure() -> dict[int, int]:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
            return dict(zip(USERS, pool.map(rank_everyone, USERS), strict=True))

    peaks = benchmark.pedantic(measure, rounds=1)
    benchmark.extra_info["peak_bytes"] = peaks
    benchmark.extra_info["users_x_items_bytes"] = {users: users * ITEMS * 4 for users in USERS}
    few, many = peaks[USERS[0]], peaks[USERS[-1]]
    print(
        f"\npeak of ranking {ITEMS:,} items: " + ", ".join(f"{u:,} users {p / 2**20:.0f} MiB" for u, p in peaks.items())
    )
    assert many - few < 0.2 * (USERS[-1] - USERS[0]) * ITEMS * 4
