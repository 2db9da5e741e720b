"""All paired tests of a large table at once, beside scipy's permutation test pair by pair.

scipy is timed on three of the tests with a tenth of the permutations, and the whole is extrapolated from them; the
p-values of those three must agree within Monte-Carlo error. At profile ``smoke`` users and permutations are a tenth.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import stats

from benchmarks.machine import PROFILE
from harness import environment, metrics, peak_memory
from harness.metrics import Place
from harness.outcomes import Outcomes
from harness.paired.comparison import Comparison, Side, all_pairs, compare
from harness.seeds import rng

USERS, PERMUTATIONS = (2_233, 10_000) if PROFILE == "smoke" else (22_332, 100_000)
SYSTEMS = 10
METRICS = [Place(metric, k) for k in (5, 10) for metric in ("Recall", "MRR", "NDCG")]
SCIPY_PERMUTATIONS = PERMUTATIONS // 10
SCIPY_BATCH = 50  # permutations in memory at a time
TIMED = ((0, 1, ("NDCG", 10)), (2, 3, ("MRR", 5)), (2, 3, ("Recall", 10)))  # p neither near 0 nor near 1


def outcomes() -> list[Outcomes]:
    """Systems that hit 14 to 21 % of users within ten, and agree on users as trained systems do."""
    generator = rng(1, "comparison")
    taste = generator.normal(size=USERS)
    found = []
    for system in range(SYSTEMS):
        noise = generator.normal(size=USERS)
        rank = np.maximum(1, np.exp(4.1 + 1.6 * (0.6 * taste + 0.8 * noise) - 0.05 * system)).astype(np.int64)
        found.append(Outcomes(np.arange(1, USERS + 1), rank, np.zeros_like(rank), np.ones(USERS, dtype=bool)))
    return found


def compare_all() -> tuple[float, int | None, list[Comparison]]:
    """Seconds, what it added to the process's memory in bytes where that can be read, and the tests."""
    environment.use_threads()
    sides = [Side(str(system), (one,), (str(system),)) for system, one in enumerate(outcomes())]
    threads = int(environment.hardware()["threads"])
    found: list[Comparison] = []

    def run() -> None:
        found.extend(compare(all_pairs(sides), METRICS, 42, permutations=PERMUTATIONS, threads=threads))

    started = time.perf_counter()
    added_bytes = peak_memory.added_bytes(run, torch.device("cpu"))
    return time.perf_counter() - started, added_bytes, found


def test_all_pairs_against_scipy(benchmark: BenchmarkFixture) -> None:
    def measure() -> tuple[float, int | None, list[Comparison]]:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            return fresh.submit(compare_all).result()

    seconds, added_bytes, found = benchmark.pedantic(measure, rounds=1)
    p = {(row.a, row.b, row.metric): row.p for row in found}
    runs, oracle = outcomes(), []
    started = time.perf_counter()
    for a, b, (metric, k) in TIMED:
        difference = metrics.per_query(runs[a], metric, k) - metrics.per_query(runs[b], metric, k)
        oracle.append(
            stats.permutation_test(
                (difference,),
                lambda x, axis: np.abs(x.sum(axis=axis)),
                permutation_type="samples",
                alternative="greater",
                vectorized=True,
                n_resamples=SCIPY_PERMUTATIONS,
                batch=SCIPY_BATCH,
                rng=rng(2, "scipy", a, b),
            ).pvalue
        )
    scipy_s = (time.perf_counter() - started) / len(TIMED) * len(found) * PERMUTATIONS / SCIPY_PERMUTATIONS
    pairs = list(zip(TIMED, oracle, strict=True))
    benchmark.extra_info |= {
        "users": USERS,
        "tests": len(found),
        "permutations": PERMUTATIONS,
        "harness_s": seconds,
        "added_peak_bytes": added_bytes,
        "scipy_s_extrapolated": scipy_s,
        "ratio": scipy_s / seconds,
    }
    memory = "unknown" if added_bytes is None else round(added_bytes / 2**20)
    print(
        f"\n{len(found)} tests, {USERS:,} users, {PERMUTATIONS:,} permutations: {seconds:.1f} s and "
        f"{memory} MiB; scipy {scipy_s:,.0f} s (extrapolated from {len(TIMED)} tests of "
        f"{SCIPY_PERMUTATIONS:,} permutations): {scipy_s / seconds:.0f}x"
    )
    for (a, b, (metric, k)), theirs in pairs:
        ours = p[str(a), str(b), f"{metric}@{k}"]
        error = 5 * (2 * max(theirs, 1 / SCIPY_PERMUTATIONS) * (1 - theirs) / SCIPY_PERMUTATIONS) ** 0.5
        assert ours == pytest.approx(theirs, abs=error)
