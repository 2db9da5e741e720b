"""What the audit finds in the papers by itself; the numbers here are PROTOCOL facts, none stands in the code."""

import json
from pathlib import Path

import pytest

from harness.audit import audit, audit_target
from harness.audit.finding import Finding
from harness.audit.published import of_paper
from harness.errors import InputError
from harness.papers import paper as papers
from tests.command_line import Harness

LLAMAREC = audit(of_paper(papers.load("llamarec")))


def of(found: list[Finding], rule: str, strength: str, **where: object) -> list[Finding]:
    wanted = {"rule": rule, "strength": strength} | where
    return [each for each in found if all(getattr(each, key) == value for key, value in wanted.items())]


def test_the_columns_of_table_1_that_are_means_of_39_batches() -> None:
    off = of(LLAMAREC, "grid", "inconsistent", table="1", dataset="ML-100k")
    assert {finding.method for finding in off} == {"NARM", "BERT4Rec", "SASRec"}
    assert all("/624 = " in finding.detail and "cut (batch-mean:16)" in finding.detail for finding in off)
    (told, *_) = of(LLAMAREC, "grid", "note", table="1", dataset="ML-100k")
    assert "multiples of 1/624, cut: batch-mean:16 (39 batches for 610 users, the last of 2)" in told.detail


def test_lrurec_is_told_from_exact_by_both_tables_together() -> None:
    (found,) = of(LLAMAREC, "coverage", "inconsistent", dataset="ML-100k")
    assert (found.method, found.table) == ("LRURec", "3")
    assert (
        "batch-mean:16 in both (1/624 and, of 123 users, 1/1408: 44 users hit at 5, 82 users hit at 10)" in found.detail
    )
    off = of(LLAMAREC, "grid", "suspicious", table="3", dataset="ML-100k")
    assert not of(LLAMAREC, "grid", "inconsistent", table="3")
    assert {finding.method for finding in off} == {"NARM", "BERT4Rec", "SASRec", "LRURec"}


def test_the_claimed_improvements_follow() -> None:
    assert len(of(LLAMAREC, "arithmetic", "note")) == 4
    assert not of(LLAMAREC, "arithmetic", "inconsistent")


def test_cores_impossible_cell() -> None:
    (found,) = of(audit_target("llm-trsr"), "order", "impossible")
    assert (found.dataset, found.method, found.metric, found.k) == ("Amazon-M2", "CORE", "Recall", 5)
    assert "MRR@5" in found.detail
    (joint,) = of(audit_target("llm-trsr"), "joint", "impossible")
    assert "at least 0.181639 * 0.100000 = 0.018164, not 0.009759 or less to MRR" in joint.detail


def test_recminds_quoted_numbers_have_no_ranks() -> None:
    """.0574 - .0415 more Recall adds at most .0159 / log2(7) = .0057 to NDCG, and .0375 - .0289 is .0086."""
    (found,) = of(LLAMAREC, "joint", "impossible")
    assert (found.table, found.method) == ("4", "RecMind")
    assert "hits at ranks 6 to 10 add at most 0.016051 * 0.356207 = 0.005717, not 0.008449 or more" in found.detail


def test_hierarchical_does_not_beat_tallrec_everywhere() -> None:
    (found,) = of(audit_target("llm-trsr"), "claims", "inconsistent")
    assert (found.method, found.metric, found.k) == ("LLM-TRSR-Hierarchical", "MRR", 10)


def test_the_verb(harness: Harness, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "paper,table,dataset,method,metric,k,value,users\np,1,S,A,Recall,1,0.5,10\np,1,S,A,Recall,5,0.2,10\n"
    )

    status, out, _ = harness("audit", str(table), "--json")
    assert status == 0
    first = json.loads(out)[0]
    keys = ["rule", "strength", "paper", "table", "dataset", "method", "metric", "k", "detail"]
    assert list(first) == keys
    assert [first[key] for key in keys[:-1]] == ["order", "impossible", "p", "1", "S", "A", "Recall", 5]
    assert "2 impossible" in harness("audit", str(table))[1]
    status, _, error = harness("audit", "llamarek")
    assert (status, error) == (2, "error: llamarek: neither a .csv file nor a paper; known: llamarec, llm-trsr\n")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"gone\.csv: No such file"):
        audit_target("gone.csv")


def test_a_paper_says_over_whom_its_means_are() -> None:
    published = of_paper(papers.load("llamarec"))
    users = {(c.table, c.dataset, c.method): c.users for c in published.columns}
    assert users["1", "ML-100k", "NARM"] == 610
    assert users["4", "Beauty", "LlamaRec"] == 22332
    assert users["4", "Beauty", "P5"] is None  # quoted from another paper, on other users
    assert users["3", "ML-100k", "NARM"] is None  # no paper's file states it
    assert not any(column.method == "Popularity" for column in published.columns)
    (subset,) = published.subsets
    assert (subset.table, subset.whole, subset.among) == ("3", "1", 20)
    assert subset.contained == {"LRURec", "LlamaRec"}
