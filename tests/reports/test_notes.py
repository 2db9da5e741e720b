from pathlib import Path

import pytest

from harness.cell import Cell
from harness.cells import cells
from harness.store import Run
from reports.notes import against_retriever, notes
from tests.made_runs import make_run
from tests.reports.conftest import PAPER


def test_what_a_reader_must_know(all_cells: list[Cell], runs: list[Run]) -> None:
    by_id = {run.record.run: run for run in runs}
    said = notes([cell for cell in all_cells if cell.table == "1"], runs, by_id)
    assert said[0] == "ml-latest-small: raw.zip is unpinned: accepted on the published counts"
    assert said[1].startswith("ml-latest-small: the targets of 3 queries also stand among the items that are excluded")
    assert said[2] == (
        "llamarec on ml-latest-small, seed 42: 20 steps, its whole budget; prompts seen 315; letter loss 3.142; "
        "guessing among 20 letters costs ln 20 = 2.996. 48 queries asked, 16 withheld because the target was "
        "not retrieved. It ends below its own retriever (lrurec): NDCG@10 0.0000 against 0.6404 over the 48 "
        "queries asked, difference -0.6404 [-0.7023, -0.5797] (95 % over users), p 1e-05 of this test alone."
    )
    assert [line[0] for line in said[3:]] == ["†", "†"]


@pytest.mark.parametrize(("own", "verb"), [(1, "ends above"), (2, "equals"), (3, "ends below")])
def test_a_ranker_is_held_against_its_retriever_on_the_queries_it_was_asked(
    tmp_path: Path, own: int, verb: str
) -> None:
    retriever = make_run(tmp_path, "lrurec", [2, 1, 1, 1])
    ranker = make_run(tmp_path, "llamarec", [own, 99, 99, 99], retriever=retriever, asked=[True, False, False, False])
    said = against_retriever(ranker, retriever)
    assert said.startswith(f"It {verb} its own retriever (lrurec)")
    assert "against 0.6309 over the 1 queries asked, difference " in said


def test_a_ranker_that_was_asked_nothing(tmp_path: Path) -> None:
    retriever = make_run(tmp_path, "lrurec", [50])
    ranker = make_run(tmp_path, "llamarec", [50], retriever=retriever, asked=[False])
    assert against_retriever(ranker, retriever) == "No query was asked: its numbers are its retriever's."


def test_the_choice_among_configurations_is_said(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, "narm", [1, 2], profile=profile) for profile in ("cpu", "smoke")]
    said = notes(cells(PAPER, "1", runs), runs, {run.record.run: run for run in runs})
    assert said == (
        "NARM on ML-100k: 2 configurations were found; shown is the paper's own where it was run, else that of "
        "the most expensive profile (cpu), then what a search took on validation, then that of the most seeds.",
    )
