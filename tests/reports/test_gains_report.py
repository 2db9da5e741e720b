"""Gains over simpler systems with their costs, and what the authors' own rule would print: from runs to a report."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config import TaskConfig
from harness.gains import gains
from harness.metrics import estimate
from harness.other_rule import WITHOUT_REPEATED, other_rule
from harness.paired.comparison import Side, compare
from harness.papers import paper as papers
from harness.record import FitRecord, QueryCounts
from harness.repeated import WITHOUT
from harness.reproduce import parse_targets
from harness.shown import Shown, shown
from harness.store import Run
from reports import gains as gains_report
from reports.render import FORMATS, render, write
from tests.made_runs import SMOL, make_run, of_profile

PAPER = papers.load("llm-trsr")
RANDOM = np.random.default_rng(5)
FLOOR, LLM = RANDOM.integers(2, 12, 30).tolist(), RANDOM.integers(1, 8, 30).tolist()
COSTS = {
    "summary_tokens_read_per_history": 900.0,
    "summary_tokens_written_per_history": 100.0,
    "summary_seconds_per_history": 1.25,
    "asking_tokens_per_case": 950.0,
    "asking_seconds_per_case": 0.5,
}


def answered(folder: Path, system: str, ranks: list[int], **given: Any) -> Run:
    task = TaskConfig(name="candidates")
    return make_run(folder, system, ranks, dataset="ml-latest-small", task=task, **given)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    notes: dict[str, float | int | str] = COSTS | {"prompts": "movies.yaml"}
    return [
        answered(tmp_path, "popularity", FLOOR, ties=[1, 0] * 15),
        answered(tmp_path, "sasrec", FLOOR),
        answered(tmp_path, "tallrec", FLOOR, model=SMOL),
        answered(tmp_path, "trsr-recurrent", LLM, model=SMOL, fit=FitRecord(notes=notes)),
    ]


@pytest.fixture
def found(runs: list[Run]) -> Shown:
    (each,) = shown(parse_targets(["llm-trsr:2"]), runs, [], [], None)
    return each


def test_every_language_model_is_tested_against_those_before_it(found: Shown, runs: list[Run]) -> None:
    held = [(row.system, row.over, row.metric, row.comparison is not None) for row in found.gains]
    pairs = [
        ("TALLRec", "Popularity", True),
        ("TALLRec", "Popularity-Category", False),
        ("LLM-TRSR-Recurrent", "Popularity", True),
        ("LLM-TRSR-Recurrent", "Popularity-Category", False),
        ("LLM-TRSR-Recurrent", "TALLRec", True),
    ]
    assert held == [(a, b, metric, ran) for a, b, ran in pairs for metric in ("Recall@3", "MRR@10")]
    sides = [Side(name, (run.outcomes(),), ("",)) for name, run in (("trsr", runs[3]), ("floor", runs[0]))]
    (alone,) = compare([(sides[0], sides[1])], [("MRR", 10)], 42, estimator="tie-mean")
    own = next(row for row in found.gains if (row.system, row.over, row.metric) == (*pairs[2][:2], "MRR@10"))
    assert own.comparison
    assert own.comparison.family == 6
    assert own.comparison.difference == pytest.approx(alone.difference)
    assert own.costs == COSTS


def test_a_figures_values_are_tested_against_one_of_them(tmp_path: Path) -> None:
    line = [
        make_run(tmp_path, "trsr-recurrent", ranks, model=SMOL, **of_profile("trsr-recurrent", recent=recent))
        for recent, ranks in ((0, FLOOR), (5, LLM))
    ]
    rows = gains(PAPER, "figure9", line, [])
    assert [(row.x, row.over, row.metric) for row in rows] == [(5, 0, "Recall@3"), (5, 0, "MRR@10")]
    gap = estimate(line[1].outcomes(), "MRR", 10) - estimate(line[0].outcomes(), "MRR", 10)
    assert rows[1].comparison
    assert rows[1].comparison.difference == pytest.approx(gap)


def test_the_authors_rule_counts_ties_for_the_target(found: Shown, runs: list[Run]) -> None:
    floor = next(row for row in found.other_rules if row.system == "Popularity")
    ranks = np.array(FLOOR)
    assert (floor.queries, floor.tied, floor.estimator) == (30, 15, "target-first")
    assert floor.values["Recall@3"] == ((ranks <= 3).mean(), (ranks - np.array([1, 0] * 15) <= 3).mean())
    assert [(row.system, row.estimator) for row in found.other_rules] == [
        ("Popularity", "target-first"),
        ("Popularity", "tie-mean"),
        *((system, "target-first") for system in ("SASRec", "TALLRec", "LLM-TRSR-Recurrent")),
    ]
    assert other_rule(papers.load("llamarec"), "1", runs, []) == []


def test_a_floor_that_answered_other_queries_is_not_called_not_run(tmp_path: Path, runs: list[Run]) -> None:
    other = answered(tmp_path, "popularity", FLOOR[:-1])
    (each,) = shown(parse_targets(["llm-trsr:2"]), [other, *runs[1:]], [], [], None)
    text = render(each, [other, *runs[1:]], "md", "typed")
    assert "other queries" in text.partition("Gains and costs")[2]


def test_cases_whose_target_is_not_new_are_left_out_beside(tmp_path: Path, runs: list[Run]) -> None:
    notes: dict[str, float | int | str] = {f"{m}@{k}_{WITHOUT}": k / 20 for m in ("Recall", "MRR") for k in (3, 5, 10)}
    asked = QueryCounts(asked=30, withheld=0, target_seen=4)
    noting = answered(tmp_path, "ncf", FLOOR, fit=FitRecord(notes=notes), queries=asked)
    rows = [row for row in other_rule(PAPER, "2", [*runs, noting], []) if row.estimator == WITHOUT_REPEATED]
    assert [(row.system, row.queries) for row in rows] == [("NCF", 26)]
    assert rows[0].values["MRR@5"] == (estimate(noting.outcomes(), "MRR", 5), 0.25)


@pytest.mark.parametrize("format_", [each for each in FORMATS if each not in ("csv", "json")])
def test_both_stand_in_every_format(found: Shown, runs: list[Run], format_: str) -> None:
    text = " ".join(render(found, runs, format_, "typed").replace("\\", "").replace("{,}", ",").split())
    for expected in ("Gains and costs, Table 2", "Ties and repeated targets, Table 2", "1,000 + 950", "1.25 + 0.5"):
        assert expected in text


def test_joules_that_no_llm_spent_are_not_shown_for_those_that_were_not_read(tmp_path: Path, runs: list[Run]) -> None:
    notes: dict[str, float | int | str] = COSTS | {"summary_joules_per_history": 0.0}
    frequent = answered(tmp_path, "trsr-hierarchical", LLM, model=SMOL, fit=FitRecord(notes=notes))
    (each,) = shown(parse_targets(["llm-trsr:2"]), [*runs, frequent], [], [], None)
    (listing,) = gains_report.listings(each.gains)
    assert {row[-1] for row in listing.rows} == {""}


def test_both_are_files_of_numbers(found: Shown, runs: list[Run], tmp_path: Path) -> None:
    write(found, runs, tmp_path / "out", "typed")
    lines = list(csv.DictReader(StringIO((tmp_path / "out" / "llm-trsr-gains.csv").read_text("utf-8"))))
    assert [(line["over"], line["asking_seconds_per_case"]) for line in lines[-2:]] == [("TALLRec", "0.5")] * 2
    assert not lines[2]["difference"]
    ties = list(csv.DictReader(StringIO((tmp_path / "out" / "llm-trsr-ties.csv").read_text("utf-8"))))
    assert [line["tied"] for line in ties] == ["15", "15", "0", "0", "0"]
