from dataclasses import asdict

import pytest
import torch

from harness.cost_plan import Point, points

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
    found = list(points("serving", profile, CPU))
    lines = {name: [p for p in found if p.backbone == name] for name in dict.fromkeys(p.backbone for p in found)}
    assert [len(line) for line in lines.values()] == [14, *[15] * (models - 1)]
    assert max(point.candidates for point in lines.pop("tiny")) == 50
    assert {max(point.candidates for point in line) for line in lines.values()} == {100}
    assert {point.history for point in found} == {5, 10, 20, 50, 100, 200}
    assert {point.batch for point in found} == {1, 2, 4, 8, 16, 32}
