from pathlib import Path

import pytest

from harness.cell import Cell
from harness.cells import cells
from harness.papers import paper as papers
from harness.store import Run
from reports.notes import notes
from tests.made_runs import NEVER_HELD, make_run

PAPER = papers.load("llamarec")
FAR, NEAR = [1] * 40 + [50] * 20, [30] * 40 + [50] * 20


def ranker(folder: Path, ranks: list[int], seed: int = 42, **record: object) -> Run:
    retriever = make_run(folder, "lrurec", [3] * len(ranks), seed=seed, **record)
    return make_run(folder, "llamarec", ranks, seed=seed, retriever=retriever, **record)


def judged(runs: list[Run], folder: Path) -> dict[tuple[str, str], Cell]:
    found = cells(PAPER, "1", [*runs, *(make_run(folder, "popularity", NEAR),)])
    return {(cell.system, f"{cell.metric}@{cell.k}"): cell for cell in found if cell.test}


def test_the_papers_rows_are_one_family_and_added_rows_another(tmp_path: Path) -> None:
    own = ranker(tmp_path, FAR)
    runs = [own, make_run(tmp_path, "narm", NEAR), make_run(tmp_path, "sasrec", FAR)]
    found = judged(runs, tmp_path)
    assert {system for system, _ in found} == {"NARM", "SASRec", "Popularity"}
    assert {found[system, "NDCG@10"].test.comparison.family for system in ("NARM", "SASRec")} == {12}
    assert found["Popularity", "NDCG@10"].test.comparison.family == 6
    assert found["NARM", "NDCG@10"].test.finding() == "better"
    assert found["SASRec", "NDCG@10"].test.finding() == "open"
    said = notes(list(found.values()), runs, {})
    assert sum("family of 12 tests (LlamaRec against NARM, SASRec on ML-100k, all metrics)" in s for s in said) == 1
    assert sum("family of 6 tests (LlamaRec against the added Popularity on ML-100k" in s for s in said) == 1


def test_a_system_that_beats_the_papers_own_is_marked_so(tmp_path: Path) -> None:
    found = judged([ranker(tmp_path, NEAR), make_run(tmp_path, "narm", FAR)], tmp_path)
    assert found["NARM", "Recall@5"].test.finding() == "worse"


def test_power_for_the_published_difference_by_hand(tmp_path: Path) -> None:
    ranks = [1] * 30 + [50] * 30
    found = judged([ranker(tmp_path, ranks), make_run(tmp_path, "narm", ranks[::-1])], tmp_path)
    test = found["NARM", "Recall@10"].test
    gap, deviation = 0.1524 - 0.0801, (60 / 59) ** 0.5
    assert test.published_difference == pytest.approx(gap)
    assert test.comparison.mde_80 == pytest.approx(2.801585 * deviation / 60**0.5, rel=1e-6)
    assert test.published_n_needed == pytest.approx((2.801585 * deviation / gap) ** 2, abs=1)
    assert 0.05 < test.published_power < 0.15
    assert found["Popularity", "Recall@10"].test.published_n_needed is None


def test_what_read_other_data_is_not_judged(tmp_path: Path) -> None:
    own = ranker(tmp_path, FAR, data=(NEVER_HELD,))
    assert judged([own, make_run(tmp_path, "narm", NEAR)], tmp_path) == {}


def test_profiles_with_other_users_are_not_tested_and_unequal_budgets_are_told(tmp_path: Path) -> None:
    cheap = make_run(tmp_path, "lrurec", [1, 30, 1], profile="cpu")
    own = make_run(tmp_path, "llamarec", [1, 30, 2], profile="cpu", retriever=cheap)
    dear = [make_run(tmp_path, "lrurec", [1, 1, 30], seed=seed) for seed in (42, 43)]
    dear += [make_run(tmp_path, "narm", [2, 3, 4])]
    runs = [cheap, own, *dear]
    assert {cell.system for cell in cells(PAPER, "3", runs) if cell.test} == {"LRURec"}
    whole = [cell for cell in cells(PAPER, "1", runs) if cell.test]
    (said,) = (line for line in notes(whole, runs, {}) if line.startswith("†"))
    assert "LRURec stands with the runs whose lists LlamaRec ordered." in said
    assert "over users and seeds where both have several" in said
    assert said.endswith("Unequal budgets: NARM at paper beside LlamaRec at cpu.")


@pytest.mark.parametrize("table", ["1", "3"])
def test_a_ranker_is_held_against_the_lists_that_it_ordered(tmp_path: Path, table: str) -> None:
    """An idle ranker differs in nothing from its retriever, though the retriever's column shows other runs."""
    given = make_run(tmp_path, "lrurec", FAR, profile="cpu")
    idle = make_run(tmp_path, "llamarec", FAR, profile="cpu", retriever=given)
    shown = [make_run(tmp_path, "lrurec", [7] * 40 + [50] * 20, seed=seed) for seed in (42, 43)]
    (cell,) = (
        cell
        for cell in cells(PAPER, table, [given, idle, *shown])
        if (cell.dataset, cell.system, cell.metric, cell.k) == ("ML-100k", "LRURec", "NDCG", 10)
    )
    assert set(cell.runs) & {run.record.run for run in shown}
    assert cell.test.ordered
    assert (cell.test.comparison.difference, cell.test.comparison.p, cell.test.comparison.losses) == (0, 1, 0)
    assert cell.test.comparison.queries == {"1": 60, "3": 40}[table]


def test_where_users_depend_on_the_seed_one_seed_is_judged(tmp_path: Path) -> None:
    runs = []
    for seed, found in ((42, [1, 2, 3, 40]), (43, [40, 2, 3, 4])):
        retriever = make_run(tmp_path, "lrurec", found, seed=seed)
        runs += [retriever, make_run(tmp_path, "llamarec", found, seed=seed, retriever=retriever)]
        runs += [make_run(tmp_path, "narm", [5, 6, 7, 8], seed=seed)]
    (narm,) = (
        cell.test.comparison
        for cell in cells(PAPER, "3", runs)
        if cell.test and (cell.system, cell.metric, cell.k) == ("NARM", "MRR", 10)
    )
    assert (narm.queries, narm.seeds_a, narm.seeds_b) == (3, 1, 1)
    assert narm.difference == pytest.approx((1 + 1 / 2 + 1 / 3) / 3 - (1 / 5 + 1 / 6 + 1 / 7) / 3)
