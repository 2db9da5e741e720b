import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness import card, latency, peak_memory
from harness.latency import Measured

CPU = torch.device("cpu")
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
LINUX = pytest.mark.skipif(not peak_memory.CLEAR_REFS.exists(), reason="peak memory is read from Linux's /proc")
MIB = 2**20


def test_the_first_two_calls_are_not_timed() -> None:
    pauses = iter([0.0, 0.0, 0.01, 0.03, 0.02])
    found = latency.measure(lambda: time.sleep(next(pauses)), CPU, repeats=3)
    assert [timing >= least for timing, least in zip(found.timings_ms, (10, 30, 20), strict=True)] == [True] * 3


def test_what_warms_up_may_be_cheaper_than_what_is_timed() -> None:
    said: list[str] = []
    latency.measure(lambda: said.append("timed"), CPU, repeats=2, warm_up=lambda: said.append("warm-up"))
    assert said == ["warm-up", *["timed"] * 3]


def test_a_percentile_that_the_timings_cannot_carry_is_empty() -> None:
    assert latency.percentiles([]) == {50: None, 90: None, 99: None}
    assert latency.percentiles([3.0]) == {50: 3.0, 90: None, 99: None}
    assert latency.percentiles(range(9))[90] is None
    assert latency.percentiles(range(10)) == {50: 4.5, 90: pytest.approx(8.1), 99: None}
    assert latency.percentiles(range(99))[99] is None
    assert latency.percentiles(range(101)) == {50: 50, 90: 90, 99: 99}


@given(st.lists(st.floats(0, 1e6), min_size=100, max_size=200))
def test_percentiles_rise_and_lie_among_the_timings(timings: list[float]) -> None:
    found = [value for value in latency.percentiles(timings).values() if value is not None]
    assert found == sorted(found)
    assert min(timings) <= found[0] <= found[-1] <= max(timings)


def test_another_clock_may_stand_around_each_timing() -> None:
    rounds = []

    def loop(call: object, repeats: int) -> None:
        for _ in range(repeats):
            started = time.perf_counter()
            call()  # type: ignore[operator]
            rounds.append(1e3 * (time.perf_counter() - started))

    found = latency.measure(lambda: time.sleep(0.002), CPU, repeats=4, loop=loop)
    assert all(outer >= inner >= 2 for outer, inner in zip(rounds, found.timings_ms, strict=True))


def test_what_was_measured_can_be_kept_as_json() -> None:
    found = latency.measure(lambda: None, CPU, repeats=3)
    assert Measured.model_validate_json(found.model_dump_json()) == found


@LINUX
def test_peak_memory_is_what_one_call_adds_whatever_came_before() -> None:
    def take(mib: int) -> None:
        parts = [torch.ones(MIB // 4) for _ in range(mib)]  # small enough that the allocator would keep them
        del parts

    big, small, again = (peak_memory.added_bytes(lambda mib=mib: take(mib), CPU) for mib in (96, 8, 96))
    assert big is not None
    assert small is not None
    assert again is not None
    assert 90 * MIB < big < 130 * MIB
    assert small < 40 * MIB
    assert 90 * MIB < again < 130 * MIB


def test_a_machine_that_others_use_is_said_to_be_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # half a second of another's work is little on many cores
    watch = latency.Watch(CPU)
    spin = "import time; end = time.process_time() + 0.7\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", spin], check=True)
    assert "other processes used" in (watch.busy() or "")


def test_own_work_is_not_others(monkeypatch: pytest.MonkeyPatch) -> None:
    used, own = latency._used_s(), latency._own_s()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    assert latency._own_s() - own >= 0.25
    assert latency._used_s() - used >= latency._own_s() - own - 0.1
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(latency, "_used_s", latency._own_s)
    watch, end = latency.Watch(CPU), time.process_time() + 0.3
    while time.process_time() < end:
        pass
    assert watch.busy() is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_gpu_nothing_is_read_of_one() -> None:
    assert (card.energy_j(), card.facts(), card.other_processes()) == (None, {}, 0)
    assert latency.measure(lambda: None, CPU, repeats=1).energy_j is None


@CUDA
def test_a_timing_on_a_gpu_waits_for_the_gpu() -> None:
    device = torch.device("cuda")
    a = torch.randn(4096, 4096, device=device)
    idle: list[bool] = []

    def loop(once: Callable[[], None], repeats: int) -> None:
        for _ in range(repeats):
            once()
            idle.append(torch.cuda.current_stream().query())

    found = latency.measure(lambda: [a @ a for _ in range(200)], device, repeats=5, loop=loop)
    assert idle == [True] * 5
    assert found.peak_bytes is not None
    assert found.peak_bytes >= a.nbytes


@LINUX
def test_the_peak_of_a_process_is_its_own() -> None:
    own = "from harness import environment; print(environment.peak_memory_bytes())"
    large = f"import os, sys; x = b'x' * {2**30}; os.execv(sys.executable, [sys.executable, '-c', {own!r}])"
    done = subprocess.run([sys.executable, "-c", large], check=True, capture_output=True, text=True)
    assert 50 * MIB < int(done.stdout) < 2**30


def test_energy_is_a_calls_share_of_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlDeviceGetTotalEnergyConsumption=lambda _: 2500,  # millijoules
        nvmlDeviceGetComputeRunningProcesses=lambda _: ["this one", "another"],
    )
    monkeypatch.setattr(card, "_card", lambda: (nvml, None))
    assert (card.energy_j(), card.other_processes()) == (2.5, 1)
    monkeypatch.setattr(latency.Watch, "energy_j", lambda _: 6.0)
    assert latency.measure(lambda: None, CPU, repeats=3).energy_j == 2.0
