import time

import pytest
import torch

from harness import card
from harness.llm import meter


def test_costs_are_summed_and_shown_per_piece() -> None:
    costs = meter.Costs()
    costs.add(tokens=10, seconds=1.0)
    costs.add(tokens=20, seconds=0.5, joules=7.0)
    assert costs.notes("asking", 3, "case") == {
        "asking_tokens_per_case": 10,
        "asking_seconds_per_case": 0.5,
        "asking_joules_per_case": pytest.approx(7 / 3),
    }


def test_a_sum_of_which_a_part_is_not_known_is_not_shown() -> None:
    costs = meter.Costs()
    costs.add(joules=3.0)
    costs.add(joules=None)
    costs.add(joules=4.0)
    assert costs.notes("summary", 1, "history") == {}


def test_joules_are_those_since_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = iter((100.0, 130.5))
    monkeypatch.setattr(card, "energy_j", lambda: next(counter))
    seconds, joules = meter.start(torch.device("cpu"))()
    assert (joules, seconds >= 0) == (30.5, True)


def test_work_that_the_device_still_does_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, queued = [0.0], [5.0]  # seconds; what was asked of the device before

    def synchronize(device: torch.device) -> None:
        clock[0] += queued.pop() if queued else 0.0

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(card, "energy_j", lambda: clock[0])
    since = meter.start(torch.device("cuda"))
    queued.append(2.0)
    assert since() == (2.0, 2.0)


def test_no_counter_no_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "energy_j", lambda: None)
    assert meter.start(torch.device("cpu"))()[1] is None
