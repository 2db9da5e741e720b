from dataclasses import asdict, replace

import pytest
import torch

from harness.costs.plan import Point, left_out, points

CPU = torch.device("cpu")
COMMON = Point("tiny", "none", 1, 10, 20, 20, "verbalizer", 3)


def test_a_line_changes_one_thing_at_a_time() -> None:
    changed = [
        {key: value for key, value in asdict(point).items() if value != getattr(COMMON, key)}
        for point in points("serving", "smoke", CPU)
    ]
    assert changed == [{}, {"history": 5}, {"candidates": 40}, {"batch": 4}]


@pytest.mark.parametrize(("profile", "models"), [("cpu", 2), ("gpu", 4)])
def test_tiny_is_not_asked_for_more_candidates_than_it_has_labels(profile: str, models: int) -> None:
    found = [point for point in points("serving", profile, CPU) if profile == "gpu" or "shape" not in point.backbone]
    lines = {name: [p for p in found if p.backbone == name] for name in dict.fromkeys(p.backbone for p in found)}
    assert [len(line) for line in lines.values()] == [14, *[15] * (models - 1)]
    assert max(point.candidates for point in lines.pop("tiny")) == 50
    assert {max(point.candidates for point in line) for line in lines.values()} == {100}
    assert {point.history for point in found} == {5, 10, 20, 50, 100, 200}
    assert {point.batch for point in found} == {1, 2, 4, 8, 16, 32}


def test_a_model_too_large_for_the_lines_is_measured_where_they_meet() -> None:
    (found,) = (point for point in points("serving", "cpu", CPU) if point.backbone == "llama-1b-shape")
    assert found == replace(COMMON, backbone="llama-1b-shape", repeats=10)


def test_what_needs_a_gpu_is_named_where_there_is_none() -> None:
    needy = [f"{output}, {how}" for output in ("letters", "titles") for how in ("compiled", "vLLM")]
    assert left_out("cost", "smoke", CPU) == left_out("cost", "gpu", CPU) == needy
    assert left_out("serving", "gpu", CPU) == []
