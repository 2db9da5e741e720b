from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.popularity_category import WEIGHTS, PopularityCategory, PopularityCategoryConfig
from harness.data.dataset import Dataset
from harness.data.splits import split_of
from harness.errors import InputError
from harness.outcomes import Outcomes
from harness.system import Context, Queries
from tests.support import context
from tests.worlds import case_set

# counted in training: item 1 three times, 2 twice, 3 once, 4 and 5 never
CASES = replace(
    case_set([[1, 2, 1], [1, 2, 5], [3, 4]], ["train", "test", "test"], n_items=5),
    fields={"kind": ("", "a | b", "b", "c", "", "a|c ")},
)


def queries(*rows: tuple[list[int], list[int]]) -> Queries:
    histories, candidates = zip(*rows, strict=True)
    return Queries(torch.arange(1, len(rows) + 1), torch.tensor(histories), torch.tensor(candidates))


def given(folder: Path, data: Dataset = CASES, prefers: float | None = None) -> Context:
    """A context in which validation likes a weight the better, the nearer it is to ``prefers``."""

    def validate(scorer, limit: int | None = None) -> Outcomes:
        rank = 1 + int(abs(WEIGHTS.index(scorer.__self__.weight) - WEIGHTS.index(prefers)))
        return Outcomes(*np.array([[1], [rank], [0]]), np.array([True]))

    return replace(context(folder, data)[0], validate=validate)


def fitted(folder: Path, **settings: object) -> PopularityCategory:
    system = PopularityCategory(PopularityCategoryConfig(category_field="kind", **settings))
    system.fit(split_of(CASES).train, given(folder))
    return system


def test_scores_worked_by_hand(tmp_path: Path) -> None:
    asked = queries(([0, 1, 2], [1, 3, 5]), ([3, 5, 4], [4, 5, 2]))
    scores = fitted(tmp_path, weight=2.0).score(asked)
    assert scores.tolist() == [
        pytest.approx([log(4) + 2, log(2), 0 + 2 * 1 / 2]),
        pytest.approx([0, 0 + 2 * 2 / 3, log(3)]),  # item 4 has no category, and so shares none with itself
    ]


def test_without_weight_it_is_popularity(tmp_path: Path) -> None:
    scores = fitted(tmp_path, weight=0.0).score(queries(([1, 2], [1, 2, 3, 4, 5])))
    assert scores.argsort(descending=True, stable=True).tolist() == [[0, 1, 2, 3, 4]]


def test_the_weight_is_taken_on_validation(tmp_path: Path) -> None:
    for best in WEIGHTS:
        system = PopularityCategory(PopularityCategoryConfig(category_field="kind"))
        record = system.fit(split_of(CASES).train, given(tmp_path, prefers=best))
        assert system.weight == record.notes["weight"] == best
        assert record.monitor == "MRR@10"


def test_weights_bring_it_back(tmp_path: Path) -> None:
    first, second = fitted(tmp_path, weight=4.0), PopularityCategory(PopularityCategoryConfig(category_field="kind"))
    second.restore(first.weights(), given(tmp_path))
    asked = queries(([3, 1, 2], [1, 3, 5]))
    assert torch.equal(first.score(asked), second.score(asked))


def test_items_without_the_field_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="category_field=category: made-up has no such item text; it has: kind"):
        PopularityCategory(PopularityCategoryConfig()).fit(split_of(CASES).train, given(tmp_path))
