"""What the benchmarks share: no time limit, percentiles and the machine in pytest-benchmark's JSON, real titles."""

from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from benchmarks.machine import PROFILE
from harness import environment, home, latency
from harness.data import catalogue
from harness.errors import WorkError


def pytest_configure() -> None:
    environment.use_threads()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cut no benchmark short: the limit that the tests have is less than some take at profile ``cpu``."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(0))


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add processor, GPU, driver and clocks, versions, and what the machine was doing when the benchmarks ended."""
    machine_info |= {
        "profile": PROFILE,
        "hardware": environment.hardware(),
        "versions": environment.versions(),
        "cudnn": torch.backends.cudnn.version(),
        "load_average": psutil.getloadavg(),
    }


def pytest_benchmark_update_json(benchmarks: list[Any], output_json: dict[str, Any]) -> None:
    """Add percentiles of the timings to each benchmark's statistics, in seconds; null where they are too few."""
    told = (benchmark for benchmark in benchmarks if not benchmark.has_error)
    for row, benchmark in zip(output_json["benchmarks"], told, strict=True):
        found = latency.percentiles(benchmark.stats.data)
        row["stats"] |= {f"p{which}": value for which, value in found.items()}


@pytest.fixture(scope="session")
def titles() -> list[str]:
    """Titles of a real data set: MovieLens latest-small, or the 100K set where that cannot be had."""
    failures = []
    for name in ("ml-latest-small", "ml-100k"):
        try:
            found = catalogue.load(name, home.resolve(), report=lambda line: None)
        except WorkError as error:
            failures.append(str(error))
        else:
            return [title for title in found.titles if title]
    pytest.skip(f"needs real titles: {'; '.join(failures)}")


@pytest.fixture
def frees_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes started from here give each freed tensor back; left alone, glibc keeps up to 100 MB, as it happens."""
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
