from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import baselines  # noqa: F401  registers the systems
from harness import blind, run, store
from harness.blind import BothScores
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.resolve import resolve
from harness.system import Queries
from tests.worlds import case_set, dataset, prepared_folder, random_histories

DATA = dataset(random_histories(40, 30), n_items=30)


def ask(*pairs: tuple[list[list[float]], list[list[float]]], candidates: bool = False) -> BothScores:
    """A comparison after one batch of queries for each pair of scores."""
    ones, others = (iter([torch.tensor(pair[side]) for pair in pairs]) for side in (0, 1))
    compared = BothScores(lambda queries: next(ones), lambda queries: next(others))
    for one, _ in pairs:
        shown = torch.ones(len(one), len(one[0]), dtype=torch.int64) if candidates else None
        assert compared(Queries(torch.ones(len(one)), torch.ones(len(one), 1), shown)).tolist() == one
    return compared


def test_every_target_and_nothing_else_is_replaced() -> None:
    other = blind.with_other_targets(DATA, seed=1)
    last = DATA.sequences.offsets[1:] - 1
    assert np.flatnonzero(other.sequences.items != DATA.sequences.items).tolist() == last.tolist()
    assert set(other.sequences.items) <= set(range(1, 31))
    assert other.sequences.items.tolist() == blind.with_other_targets(DATA, seed=1).sequences.items.tolist()
    assert other.sequences.items.tolist() != blind.with_other_targets(DATA, seed=2).sequences.items.tolist()


def test_of_a_case_set_only_those_who_are_tested_get_another_target() -> None:
    cases = case_set([[1, 2, 3]] * 4, ["train", "test", "validation", "test"], n_items=9)
    other = blind.with_other_targets(cases, seed=1)
    assert np.flatnonzero(other.sequences.items != cases.sequences.items).tolist() == [5, 11]
    assert other.parts == cases.parts


def test_two_items_swap_and_one_cannot() -> None:
    assert blind.with_other_targets(dataset([[1, 2, 1]]), seed=3).sequences.items.tolist() == [1, 2, 2]
    with pytest.raises(InputError, match="one item only"):
        blind.with_other_targets(dataset([[1, 1, 1]]), seed=3)


def test_the_largest_difference_of_all_batches_counts() -> None:
    compared = ask(([[1, 2.0]], [[1, 2.5]]), ([[1, 4.0]], [[1, 4.0]]), ([[0, 1.0]], [[0, 0.75]]))
    assert (compared.equal, compared.largest) == (False, 0.5)
    assert ask(([[1, 2.0]], [[1, 2.0]])).equal


def test_padding_does_not_count_over_the_catalogue_but_every_candidate_does() -> None:
    assert ask(([[1.0, 2]], [[7.0, 2]])).equal
    assert not ask(([[1.0, 2]], [[7.0, 2]]), candidates=True).equal


def test_the_last_bit_counts() -> None:
    one = torch.tensor(1.0)
    compared = ask(([[0, 1.0]], [[0, float(torch.nextafter(one, 2 * one))]]))
    assert not compared.equal
    assert 0 < compared.largest < 2e-7


def test_scores_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(WorkError, match="NaN"):
        ask(([[0, 1.0]], [[0, float("nan")]]))


def test_a_retriever_that_keeps_no_weights_is_copied_without(tmp_path: Path) -> None:
    films = prepared_folder(tmp_path / "films", random_histories(9, 9))
    found = run.execute(resolve("popularity", str(films), "smoke", 1, "cpu"), Home(tmp_path / "home"), "", print)[0]
    files = {name: digest for name, digest in found.record.files.items() if name != store.WEIGHTS}
    (found.folder / store.WEIGHTS).unlink()
    bare = replace(found, record=found.record.model_copy(update={"files": files}))
    copy = blind.without_ranks(bare, tmp_path / "copy")
    assert {path.name for path in copy.folder.iterdir()} == {store.LISTS, store.VALIDATION}
