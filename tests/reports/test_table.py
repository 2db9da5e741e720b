from pathlib import Path

import pytest

from harness.cell import Cell
from harness.cells import cells
from harness.config import TaskConfig
from harness.papers import paper as papers
from harness.record import FitRecord
from harness.store import Run
from reports.table import grid, places
from tests.made_runs import SMOL, make_run
from tests.reports.conftest import COMMAND, PAPER

TRSR = papers.load("llm-trsr")


def with_mean(value: float | None) -> Cell:
    return Cell(
        paper="p",
        table="1",
        dataset="D",
        system="S",
        metric="Recall",
        k=5,
        published=None,
        printed=None,
        exact_mean=value,
    )


def test_best_and_second_share_a_place_where_the_printed_digits_tie() -> None:
    row = [with_mean(value) for value in (0.1, 0.30001, None, 0.2, 0.30002, 0.2)]
    assert places(row) == [None, "best", None, "second", "best", "second"]
    assert places([with_mean(0.1), with_mean(0.1)]) == ["best", "best"]


def test_one_system_alone_is_not_the_best() -> None:
    assert places([with_mean(0.1), with_mean(None)]) == [None, None]


def test_the_papers_arrangement(all_cells: list[Cell], runs: list[Run]) -> None:
    table = grid(PAPER, "1", [cell for cell in all_cells if cell.table == "1"], runs, COMMAND)
    assert [block.heading for block in table.blocks] == ["ML-100k", "Beauty", "Games"]
    for block in table.blocks:
        assert block.columns == ("Popularity", "NARM", "BERT4Rec", "SASRec", "LRURec", "LlamaRec")
        assert [label for label, _ in block.rows] == ["MRR@5", "NDCG@5", "Recall@5", "MRR@10", "NDCG@10", "Recall@10"]


def test_a_cell_in_words(all_cells: list[Cell], runs: list[Run]) -> None:
    table = grid(PAPER, "1", [cell for cell in all_cells if cell.table == "1"], runs, COMMAND)
    label, entries = table.blocks[0].rows[2]
    popularity, narm, bert4rec, _, lrurec, llamarec = entries
    assert label == "Recall@5"
    assert (lrurec.mean, lrurec.difference, lrurec.place) == ("0.7500", "+0.6795", "best")
    assert lrurec.lines[0].endswith("] u")
    assert lrurec.lines[1:] == ("exact 0.7500", "paper 0.0705 (g)")
    assert lrurec.verdict == "other budget"
    assert (llamarec.mean, llamarec.difference, llamarec.verdict) == ("0.0000", "-0.0852", "other backbone")
    assert narm.lines[0].endswith("] s")
    assert popularity.difference == ""
    assert popularity.verdict == "no published value"
    assert (bert4rec.mean, bert4rec.lines, bert4rec.verdict, bert4rec.place) == (
        "not run",
        ("paper 0.0368 (c, g)",),
        "",
        None,
    )
    assert "harness run lrurec --dataset ml-latest-small" in lrurec.hint
    assert "commit 0123456789ab (dirty tree)" in lrurec.hint
    assert "dirty" not in llamarec.hint


def test_statistics_have_data_sets_by_rows(all_cells: list[Cell], runs: list[Run]) -> None:
    table = grid(PAPER, "2", [cell for cell in all_cells if cell.table == "2"], runs, COMMAND)
    (block,) = table.blocks
    assert block.columns == ("Users", "Items", "Interactions", "Length", "Density")
    rows = dict(block.rows)
    assert [entry.mean for entry in rows["ML-100k"]] == ["610", "3,650", "90,274", "147.99", "4.05e-02"]
    assert [entry.verdict for entry in rows["ML-100k"]][:3] == ["reproduced", "reproduced", "differs"]
    assert {entry.mean for entry in rows["Beauty"]} == {"not run"}


def test_the_foot_names_all_that_the_numbers_depend_on(all_cells: list[Cell], runs: list[Run]) -> None:
    foot = dict(grid(PAPER, "1", [cell for cell in all_cells if cell.table == "1"], runs, COMMAND).foot)
    assert foot["Backbone"] == (
        "smollm2-135m (bfloat16, quantisation none, sha256 bbbbbbbbbbbb) behind llamarec; "
        "the paper's is meta-llama/Llama-2-7b-hf"
    )
    assert foot["Data"] == "ml-latest-small: ratings.csv sha256 cccccccccccc, raw.zip sha256 dddddddddddd (unpinned)"
    assert foot["Profile and seeds"] == "cpu, seed 42+43 (NARM on ML-100k), otherwise cpu, seed 42"
    assert foot["Searched by"] == "no search"
    searched = [cell.model_copy(update={"search": "harness run narm --grid"}) for cell in all_cells]
    assert dict(grid(PAPER, "1", searched, runs, COMMAND).foot)["Searched by"] == "harness run narm --grid"
    assert foot["Estimator"] == "exact (Popularity, LlamaRec on ML-100k), otherwise batch-mean:16"
    assert "s: 95 % over seeds" in foot["Interval"]
    assert "u: 95 % over users" in foot["Interval"]
    assert foot["Commit"] == "0123456789ab; 0123456789ab (dirty tree)"
    assert foot["Versions"] == "llmrec-harness 0.1.0, torch 2.13.0"
    assert foot["Rebuilt by"] == COMMAND
    assert foot["At the paper's budget"].startswith("harness reproduce llamarec --profile paper")


def test_another_estimator_leaves_the_next_run_and_the_foot_says_what_judges(
    all_cells: list[Cell], runs: list[Run]
) -> None:
    declared = grid(PAPER, "1", [cell for cell in all_cells if cell.table == "1"], runs, COMMAND)
    other = grid(PAPER, "1", cells(PAPER, "1", runs, "batch-mean:60"), runs, COMMAND)
    (before, after), narm = ([table.blocks[0].rows[2][1][1] for table in (declared, other)], 1)
    assert before.lines[narm].startswith("next run ±")
    assert (before.mean != after.mean, before.lines[narm]) == (True, after.lines[narm])
    by_exact, by_batches = (f"batch-mean:60, verdicts by {how}" for how in ("exact", "batch-mean:16"))
    assert dict(other.foot)["Estimator"] == f"{by_exact} (Popularity, LlamaRec on ML-100k), otherwise {by_batches}"


def test_the_foot_of_statistics_names_data_sets_where_profiles_differ(all_cells: list[Cell], runs: list[Run]) -> None:
    here = [cell for cell in all_cells if cell.table == "2" and cell.dataset == "ML-100k"]
    there = [cell.model_copy(update={"dataset": name, "profile": "paper"}) for cell in here for name in ("B", "C")]
    foot = dict(grid(PAPER, "2", [*here, *there], runs, COMMAND).foot)
    assert foot["Profile and seeds"] == "cpu, seed 42 (ML-100k), otherwise paper, seed 42"


def test_the_foot_names_the_summariser_beside_the_recommenders_backbone(tmp_path: Path) -> None:
    by = SMOL.model_copy(update={"dtype": "float32", "quantisation": "int8"})
    task = TaskConfig(name="candidates")
    run = make_run(tmp_path, "trsr-recurrent", [1, 2], task=task, model=SMOL, summarizer=by)
    foot = dict(grid(TRSR, "2", cells(TRSR, "2", [run]), [run], COMMAND).foot)
    assert foot["Backbone"] == (
        "smollm2-135m (bfloat16, quantisation none, sha256 bbbbbbbbbbbb) behind trsr-recurrent; smollm2-135m (float32, "
        "quantisation int8, sha256 bbbbbbbbbbbb) summarising for trsr-recurrent; the paper's is "
        "meta-llama/Llama-2-7b-hf"
    )


def test_the_queries_asked_stand_under_each_column(tmp_path: Path) -> None:
    task = TaskConfig(name="candidates")
    runs = [make_run(tmp_path, "ncf", [1, 2], task=task, seed=seed) for seed in (42, 43)]
    runs += [make_run(tmp_path, system, [1, 2, 3], task=task) for system in ("sasrec", "narm")]
    foot = dict(grid(TRSR, "2", cells(TRSR, "2", runs), runs, COMMAND).foot)
    assert foot["Queries asked"] == "2+2 (NCF on MovieLens), otherwise 3"
    assert "--profile paper" in foot["At the paper's budget"]


def test_the_foot_of_a_table_that_was_not_run() -> None:
    foot = dict(grid(PAPER, "4", [], [], COMMAND).foot)
    assert foot["Data"] == foot["Commit"] == "nothing was run"
    assert foot["Backbone"] == "none was run; the paper's is meta-llama/Llama-2-7b-hf"


@pytest.mark.parametrize(
    ("resumed", "elapsed_s", "shown"), [(False, None, "7.0"), (True, 7.0, "7.0"), (True, None, "over 7.0")]
)
def test_a_record_with_the_time_of_its_last_part_alone_says_so(
    tmp_path: Path, resumed: bool, elapsed_s: float | None, shown: str
) -> None:
    run = make_run(tmp_path, "narm", [1], resumed=resumed, fit=FitRecord(elapsed_s=elapsed_s), wall_s=7.0)
    heading, line = grid(PAPER, "1", cells(PAPER, "1", [run]), [run], COMMAND).runs
    assert line[heading.index("time, s")] == shown
