from pathlib import Path

import pytest
from scipy import stats as scipy_stats

from harness.cell import Cell
from harness.cells import cells
from harness.claims import claims
from harness.config import TaskConfig
from harness.papers import paper as papers
from harness.shown import Shown
from reports.claims import listing
from reports.footnotes import footnotes
from reports.render import render
from tests.made_runs import LLAMA, make_run
from tests.reports.conftest import COMMAND, PAPER


def ran(folder: Path, own: list[int], rival: list[int]) -> list[Cell]:
    retriever = make_run(folder, "lrurec", rival)
    return cells(PAPER, "1", [retriever, make_run(folder, "llamarec", own, retriever=retriever, model=LLAMA)])


def here(found: list[Cell]) -> dict[str, str]:
    return {row.metric: row.here for row in claims(PAPER, found) if row.dataset == "ML-100k"}


def test_cells_alone_decide_where_no_outcomes_could_say_otherwise() -> None:
    rows = claims(PAPER, cells(PAPER, "1", []))
    printed = {dataset: {row.printed for row in rows if row.dataset == dataset} for dataset in PAPER.datasets}
    assert printed == {"ML-100k": {"undecidable"}, "Beauty": {"undecidable"}, "Games": {"supported"}}
    bounded = {row.metric for row in rows if row.dataset == "ML-100k" and row.p_low is not None}
    assert bounded == {"Recall@5", "Recall@10"}  # LRURec's column is declared to hold batch means
    assert {(row.rival, row.here) for row in rows} == {("LRURec", "not run")}
    recall = next(row for row in rows if (row.dataset, row.metric) == ("ML-100k", "Recall@10"))
    assert recall.p_low == pytest.approx(scipy_stats.binomtest(0, 93 - 75).pvalue)  # batches of 16 allow 75 hits
    assert claims(PAPER, cells(PAPER, "2", [])) == []


def test_cells_got_on_other_users_decide_nothing() -> None:
    claim = PAPER.claims[0].model_copy(update={"table": "4"})
    rows = claims(PAPER.model_copy(update={"claims": (claim,)}), cells(PAPER, "4", []))
    assert {(row.p_low, row.p_high) for row in rows} == {(None, None)}
    assert {row.metric: (row.rival, row.printed) for row in rows} == {
        "NDCG@5": ("POD", "undecidable"),
        "Recall@5": ("GPT4Rec", "undecidable"),
        "NDCG@10": ("PALR", "undecidable"),
        "Recall@10": ("GPT4Rec", "undecidable"),
    }


def test_runs_support_reverse_or_leave_open(tmp_path: Path) -> None:
    far, near = [1] * 40 + [50] * 40, [9] * 40 + [50] * 40
    assert here(ran(tmp_path / "up", far, near))["MRR@10"] == "supported"
    assert here(ran(tmp_path / "down", near, far))["MRR@10"] == "reversed"
    assert set(here(ran(tmp_path / "few", [1, 2, 50], [2, 1, 50])).values()) == {"undecidable"}
    assert set(here(ran(tmp_path / "equal", [1, 2, 50], [1, 2, 50])).values()) == {"undecidable"}
    assert set(here(ran(tmp_path / "one", [1], [2])).values()) == {"undecidable"}


def test_what_was_run_but_is_not_tested_is_not_called_not_run(tmp_path: Path) -> None:
    paper, asked = papers.load("llm-trsr"), TaskConfig(name="candidates")
    of_mind = {"dataset": "mind-small-sample", "task": asked}
    runs = [make_run(tmp_path, name, [1, 2, 3], **of_mind) for name in ("trsr-hierarchical", "tallrec", "sasrec")]
    rows = [row for row in claims(paper, cells(paper, "2", runs)) if row.dataset == "MIND"]
    assert {(row.system, row.here, row.verdict) for row in rows if row.rival in ("TALLRec", "SASRec")} == {
        ("LLM-TRSR-Hierarchical", "not tested", "other data")
    }
    assert {row.here for row in claims(paper, cells(paper, "2", runs[:1]))} == {"not run"}


def test_a_wrong_sign_counts_against_a_claim_only_where_p_does() -> None:
    trsr = papers.load("llm-trsr")
    rows = {(row.dataset, row.metric): row for row in claims(trsr, cells(trsr, "2", [])) if row.difference is None}
    close = rows["Amazon-M2", "MRR@10"]
    assert close.published_difference < 0
    assert (close.printed, close.p_low > 0.05) == ("not supported", True)


def test_with_power_to_see_it_and_nothing_seen_a_claim_is_not_supported(tmp_path: Path) -> None:
    own, rival = [1, 2] * 20 + [1] * 6000, [2, 1] * 20 + [1] * 6000
    found = {row.metric: row for row in claims(PAPER, ran(tmp_path, own, rival)) if row.dataset == "ML-100k"}
    assert found["NDCG@10"].here == "not supported"
    assert found["NDCG@10"].power > 0.8


def test_the_table_says_what_the_runs_were_and_never_p_0(tmp_path: Path) -> None:
    table = listing(claims(PAPER, ran(tmp_path, [1, 2, 50], [2, 1, 50])))
    first = dict(zip(table.headings, table.rows[0], strict=True))
    assert first["claim"] == "ML-100k: LlamaRec beats LRURec, MRR@5"
    assert first["in these runs"].startswith("undecidable (")
    assert not [value for row in table.rows for value in row if value.startswith("0 to")]
    assert listing([]) is None


def test_findings_stand_at_the_values_concerned_in_every_format() -> None:
    found = cells(PAPER, "1", [])
    notes = footnotes("llamarec", "1")
    marked = {(c.system, c.metric) for c in found if c.dataset == "ML-100k" and notes.mark(c)}
    assert {(system, "Recall") for system in ("NARM", "BERT4Rec", "SASRec")} <= marked
    assert not {pair for pair in marked if pair[1] != "Recall"}
    assert "0.0544 is no multiple of 1/610" in notes.sentences()[0]
    for format_ in ("md", "tex", "html", "terminal"):
        text = " ".join(render(Shown("llamarec", found), [], format_, COMMAND).split())
        assert "paper 0.0544 (a" in text
        assert "0.0544 is no multiple of 1/610" in text
        assert "LlamaRec" in text.partition("Claims")[2]
