"""The summaries of runs in every format: what leaked, how good they are, and what else was noted."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from harness.cells import cells
from harness.config import TaskConfig
from harness.papers import paper as papers
from harness.record import FitRecord, QueryCounts
from harness.reproduce import parse_targets
from harness.shown import Shown, shown
from harness.store import Run
from reports import summaries
from reports.notes import notes
from reports.render import FORMATS, render, write
from tests.made_runs import SMOL, make_run, of_profile

PAPER = papers.load("llm-trsr")
LEAKS = {"summaries": 1200, "summaries_of_unknown_histories": 0, "summaries_naming_target": 7}
QUALITY = {"summaries_empty": 2, "summary_words": 41.25, "summary_share_of_item_words": 0.0625}
NOTED: dict[str, float | int | str] = {
    "prompts": "trsr_movies.yaml",
    "prompts_sha256": "e" * 64,
    "items_cut": 3,
    "cases_cut": 11,
    "unseen_user": "by the history, as any other",
    "asking_tokens_per_case": 900.0,
    "summary_seconds_per_history": 1.5,
    "summary_prompts_cut": 13,
}
FIT = FitRecord(steps=7, notes=NOTED | LEAKS | QUALITY)


def made(folder: Path, system: str, ranks: list[int], **given: Any) -> Run:
    return make_run(folder, system, ranks, dataset="ml-latest-small", task=TaskConfig(name="candidates"), **given)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    counted = {"queries": QueryCounts(asked=4, withheld=0, target_seen=2)}
    seen = FitRecord(notes={"unseen_user": "by the history, as any other"})
    return [
        made(tmp_path, "popularity", [1, 2, 3, 4], fit=FitRecord(notes={"unseen_user": "by the counts"}), **counted),
        made(tmp_path, "sasrec", [1, 2, 3, 4], fit=seen, **counted),
        made(tmp_path, "trsr-recurrent", [2, 2, 1, 1], model=SMOL, fit=FIT, settings={"summarizer": "tiny"}, **counted),
    ]


@pytest.fixture
def found(runs: list[Run]) -> Shown:
    (each,) = shown(parse_targets(["llm-trsr:2"]), runs, [], [], None)
    return each


def test_a_row_a_run_that_has_summaries(found: Shown, runs: list[Run]) -> None:
    (row,) = summaries.choose(found.cells, runs)
    assert row.run == runs[2]
    (listing,) = summaries.listings([row])
    assert dict(zip(listing.headings, *listing.rows, strict=True)) == {
        "data set": "MovieLens",
        "system": "LLM-TRSR-Recurrent",
        "seed": "42",
        "by": "tiny",
        "prompts cut": "13",
        "summaries": "1,200",
        "of unknown histories": "0",
        "naming target": "7",
        "empty": "2",
        "words": "41.2",
        "item words": "0.0625",
    }


def test_a_figures_rows_have_its_value(tmp_path: Path) -> None:
    points = [of_profile("trsr-recurrent", recent=recent) for recent in (0, 5)]
    line = [make_run(tmp_path, "trsr-recurrent", [1, 2], fit=FIT, **point) for point in points]
    (listing,) = summaries.listings(summaries.choose(cells(PAPER, "figure9", line), line))
    assert (listing.title, listing.headings[2]) == ("Summaries, Figure 9", "value")
    assert [row[2] for row in listing.rows] == ["0", "5"]


@pytest.mark.parametrize("format_", [each for each in FORMATS if each not in ("csv", "json")])
def test_they_stand_in_every_format(found: Shown, runs: list[Run], format_: str) -> None:
    text = " ".join(render(found, runs, format_, "typed").replace("\\", "").replace("{,}", ",").split())
    for expected in (
        "Summaries, Table 2",
        "1,200",
        "0.0625",
        "cases cut 11",
        "trsr_movies.yaml; prompts sha256 eeeeee",
    ):
        assert expected in text, expected


def test_they_are_files_of_numbers(found: Shown, runs: list[Run], tmp_path: Path) -> None:
    write(found, runs, tmp_path / "out", "typed")
    (line,) = csv.DictReader(StringIO((tmp_path / "out" / "llm-trsr-summaries.csv").read_text("utf-8")))
    (row,) = json.loads((tmp_path / "out" / "llm-trsr-summaries.json").read_text("utf-8"))
    assert (line["system"], line["summaries_naming_target"], line["run"]) == (row["system"], "7", runs[2].record.run)
    assert row.items() >= (LEAKS | QUALITY | {"summary_prompts_cut": 13, "by": "tiny", "seed": 42}).items()
    assert "unseen_user" not in row
    assert "summary_seconds_per_history" not in row


def test_what_else_was_noted_stands_under_the_table(runs: list[Run]) -> None:
    said = notes(cells(PAPER, "2", runs), runs, {run.record.run: run for run in runs})
    assert said[:4] == (
        "ml-latest-small, seed 42: 2 of the 4 targets asked about stand in their own history.",
        "A user of whom training has nothing is scored by the counts: popularity.",
        "A user of whom training has nothing is scored by the history, as any other: sasrec, trsr-recurrent.",
        "trsr-recurrent on ml-latest-small, seed 42: prompts trsr_movies.yaml; prompts sha256 eeeeeeeeeeee; items cut "
        "3; cases cut 11.",
    )


def test_runs_without_summaries_have_no_such_table(runs: list[Run]) -> None:
    others = runs[:2]
    (without,) = shown(parse_targets(["llm-trsr:2"]), others, [], [], None)
    assert summaries.choose(without.cells, others) == []
    assert "Summaries" not in render(without, others, "md", "typed")
