import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import baselines  # noqa: F401
from harness.cell import Cell
from harness.cells import cells
from harness.errors import InputError
from harness.papers import paper
from harness.resolve import resolve
from harness.stats import seeds_interval
from harness.store import Run
from tests.made_runs import LLAMA, SMOL, make_run

PAPER = paper.load("llamarec")
KEYS = (
    "paper table dataset system ran_dataset ran_system metric k published mean low high interval predict_low "
    "predict_high seeds backbone verdict"
).split()


@pytest.fixture(autouse=True)
def _budget_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.columns.is_paper_budget", lambda config: config.profile == "paper")


def cell_of(
    runs: Sequence[Run], table: str, system: str | None, metric: str, k: int | None, estimator: str | None = None
) -> Cell:
    found = [c for c in cells(PAPER, table, runs, estimator) if (c.system, c.metric, c.k) == (system, metric, k)]
    return found[0]


def test_nothing_run() -> None:
    for table, count in (("1", 108), ("2", 15), ("3", 108), ("4", 24)):
        found = cells(PAPER, table, [])
        assert len(found) == count
        assert {cell.verdict for cell in found} == {"not run"}
        assert all(cell.mean is None and cell.seeds is None and cell.runs == () for cell in found)
    first = cells(PAPER, "1", [])[6]
    assert (first.system, first.metric, first.k, first.published, first.printed) == ("NARM", "MRR", 5, 0.0298, "0.0298")


def test_one_seed_by_hand(tmp_path: Path) -> None:
    run = make_run(tmp_path, "llamarec", [1, 2, 4, 11, 6, 30, 3, 9], model=LLAMA)
    recall = cell_of([run], "1", "LlamaRec", "Recall", 5)
    assert recall.mean == recall.exact_mean == 4 / 8
    assert recall.difference == pytest.approx(4 / 8 - 0.0852)
    mrr = cell_of([run], "1", "LlamaRec", "MRR", 10)
    assert mrr.mean == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 6 + 1 / 3 + 1 / 9) / 8)
    assert (mrr.interval, mrr.seeds, mrr.predict_low, mrr.verdict) == ("users", 1, None, "undecided")
    assert mrr.low is not None
    assert mrr.high is not None
    assert 0 < mrr.low < (mrr.mean or 0) < mrr.high < 1
    assert (mrr.backbone, mrr.ran_system, mrr.ran_dataset) == (LLAMA.name, "llamarec", "ml-latest-small")


def test_several_seeds_by_hand(tmp_path: Path) -> None:
    ranks = [[1, 20, 20, 20], [1, 1, 20, 20], [20, 20, 20, 1]]
    runs = [make_run(tmp_path, "llamarec", own, seed=42 + i, model=LLAMA) for i, own in enumerate(ranks)]
    cell = cell_of(runs, "1", "LlamaRec", "Recall", 10)
    values = [0.25, 0.5, 0.25]
    assert cell.mean == pytest.approx(1 / 3)
    assert (cell.low, cell.high) == pytest.approx(seeds_interval(values))
    half = 4.30265273 * float(np.std(values, ddof=1)) * (4 / 3) ** 0.5 + 1e-4
    assert (cell.predict_low, cell.predict_high) == pytest.approx((1 / 3 - half, 1 / 3 + half))
    assert (cell.interval, cell.seeds, cell.verdict) == ("seeds", 3, "undecided")
    assert cell.runs == tuple(run.record.run for run in runs)


def with_recall(hits: int) -> list[int]:
    return [1] * hits + [100] * (10_000 - hits)


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [((1061, 1062, 1060), "reproduced"), ((1100, 1101, 1099), "differs"), ((900, 1100, 1300), "undecided")],
)
def test_verdicts_over_seeds(tmp_path: Path, hits: tuple[int, ...], verdict: str) -> None:
    games = {"dataset": "amazon-games-2014", "model": LLAMA}
    runs = [make_run(tmp_path, "llamarec", with_recall(n), seed=42 + i, **games) for i, n in enumerate(hits)]
    found = [
        c for c in cells(PAPER, "1", runs) if (c.dataset, c.system, c.metric, c.k) == ("Games", "LlamaRec", "Recall", 5)
    ]
    assert found[0].verdict == verdict


def test_the_ladder(tmp_path: Path) -> None:
    def verdict(system: str, *runs: Run) -> str:
        return cell_of(runs, "1", system, "NDCG", 10).verdict

    narm = make_run(tmp_path, "narm", [1, 2])
    assert verdict("SASRec", narm) == "not run"
    assert verdict("Popularity", make_run(tmp_path, "popularity", [1, 2])) == "no published value"
    assert verdict("NARM", make_run(tmp_path, "narm", [1, 2], dataset="ml-100k")) == "other data"
    assert verdict("LlamaRec", make_run(tmp_path, "llamarec", [1, 2], profile="cpu", model=SMOL)) == "other backbone"
    assert verdict("LlamaRec", make_run(tmp_path, "llamarec", [1, 2], profile="cpu", model=LLAMA)) == "other budget"
    assert verdict("NARM", narm) == "undecided"


def test_a_rankers_budget_includes_its_retrievers(tmp_path: Path) -> None:
    cheap = make_run(tmp_path, "lrurec", [1, 2], profile="smoke")
    ranker = make_run(tmp_path, "llamarec", [1, 2], retriever=cheap, model=LLAMA)
    assert cell_of([ranker, cheap], "1", "LlamaRec", "NDCG", 10).verdict == "other budget"
    assert cell_of([ranker], "1", "LlamaRec", "NDCG", 10).verdict == "other budget"
    paid = make_run(tmp_path, "lrurec", [1, 2], profile="paper")
    other = make_run(tmp_path, "llamarec", [1, 2], retriever=paid, model=LLAMA, started_at="2026-01-02T00:00:00+00:00")
    assert cell_of([other, paid], "1", "LlamaRec", "NDCG", 10).verdict == "undecided"


def test_the_budget_is_read_from_the_resolved_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    own = resolve("popularity", "ml-latest-small", "paper", 42, "cpu")
    narm = resolve("narm", "ml-latest-small", "cpu", 42, "cpu")
    assert own.task != narm.task or own.settings != narm.settings
    run = make_run(tmp_path, "narm", [1, 2], settings=narm.settings)
    assert cell_of([run], "1", "NARM", "NDCG", 10).verdict == "other budget"


def test_the_declared_estimator_and_the_exact_mean_beside_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, "narm", [1] * 4 + [50] * 12 + [1, 50])
    declared = cell_of([run], "1", "NARM", "Recall", 10)
    assert (declared.estimator, declared.mean, declared.exact_mean) == ("batch-mean:16", (4 / 16 + 1 / 2) / 2, 5 / 18)
    asked = cell_of([run], "1", "NARM", "Recall", 10, estimator="exact")
    assert (asked.estimator, asked.mean) == ("exact", 5 / 18)
    tied = make_run(tmp_path, "sasrec", [3, 50], ties=[2, 0])
    assert cell_of([tied], "1", "SASRec", "MRR", 10, estimator="target-first").mean == 0.5
    with pytest.raises(InputError, match="estimator 'median' is unknown"):
        cells(PAPER, "1", [run], "median")


def test_another_estimator_is_shown_and_not_judged(tmp_path: Path) -> None:
    ranks = [1] * 17 + [50] * 287 + [1] * 8
    runs = [make_run(tmp_path, "narm", ranks, seed=seed, profile="paper") for seed in (1, 2)]
    declared = cell_of(runs, "1", "NARM", "Recall", 10)
    shown = cell_of(runs, "1", "NARM", "Recall", 10, estimator="exact")
    assert declared.mean == pytest.approx((1 + 1 / 16 + 1) / 20)
    assert (shown.mean, shown.published) == (pytest.approx(25 / 312), 0.0801)  # equal to four digits
    for name in ("predict_low", "predict_high", "verdict"):
        assert getattr(shown, name) == getattr(declared, name)
    assert shown.verdict == "differs"


def test_table_3_counts_the_users_that_the_retriever_found(tmp_path: Path) -> None:
    retriever = make_run(tmp_path, "lrurec", [20, 21, 3, 99])
    narm = make_run(tmp_path, "narm", [1, 1, 50, 1])
    assert cell_of([narm, retriever], "3", "NARM", "Recall", 10).exact_mean == 1 / 2
    assert cell_of([narm, retriever], "3", "LRURec", "Recall", 5).exact_mean == 1 / 2
    assert cell_of([narm], "3", "NARM", "Recall", 10).verdict == "not run"


def test_another_budget_of_the_retriever_is_one_of_every_column_of_its_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.columns.is_paper_budget", lambda config: "cut" not in config.settings)
    narm = make_run(tmp_path, "narm", [1, 2, 3])
    for settings, verdict in (({}, "undecided"), ({"cut": True}, "other budget")):
        retriever = make_run(tmp_path, "lrurec", [1, 30, 5], settings=settings)
        assert cell_of([narm, retriever], "3", "NARM", "Recall", 10).verdict == verdict
        assert cell_of([narm, retriever], "1", "NARM", "Recall", 10).verdict == "undecided"


def test_table_2_is_held_against_the_printed_digits(tmp_path: Path) -> None:
    run = make_run(tmp_path, "popularity", [1, 2])
    found = {cell.metric: cell for cell in cells(PAPER, "2", [run]) if cell.dataset == "ML-100k"}
    assert (found["Users"].mean, found["Users"].verdict) == (610, "reproduced")
    assert (found["Interactions"].mean, found["Interactions"].published) == (90274, 100_000)
    assert found["Interactions"].verdict == "differs"
    assert found["Length"].mean == 90274 / 610
    assert found["Density"].mean == 90274 / (610 * 3650)
    assert found["Density"].verdict == "no published value"
    fallback = make_run(tmp_path, "popularity", [1, 2], dataset="ml-100k")
    assert cell_of([fallback], "2", None, "Users", None).verdict == "other data"


def test_table_4_quotes_other_papers(tmp_path: Path) -> None:
    run = make_run(tmp_path, "llamarec", [1, 20], dataset="amazon-beauty-2014", model=SMOL)
    found = {cell.system: cell for cell in cells(PAPER, "4", [run]) if (cell.metric, cell.k) == ("Recall", 5)}
    assert (found["GPT4Rec"].printed, found["GPT4Rec"].verdict, found["GPT4Rec"].ran_system) == (
        "0.0653",
        "not run",
        None,
    )
    assert (found["LlamaRec"].mean, found["LlamaRec"].verdict) == (0.5, "other backbone")


def test_the_documents_keys(tmp_path: Path) -> None:
    run = make_run(tmp_path, "narm", [1, 2], dirty=True)
    documents = [json.loads(cell.model_dump_json()) for cell in cells(PAPER, "1", [run])]
    assert all(document.keys() >= set(KEYS) for document in documents)
    assert all(Cell.model_validate(document) for document in documents)
    assert documents[6]["dirty"] is True


def test_a_run_that_was_asked_some_of_the_queries_stands_in_no_table(tmp_path: Path) -> None:
    config = resolve("popularity", "ml-latest-small", "paper", 42, "cpu")
    few = config.task.model_copy(update={"test_limit": 2})
    limited, whole = (
        make_run(tmp_path, "popularity", [1, 2], settings=config.settings, task=task) for task in (few, config.task)
    )
    assert not any(cell.runs for cell in cells(PAPER, "1", [limited]))
    assert {cell.runs for cell in cells(PAPER, "1", [limited, whole]) if cell.runs} == {(whole.record.run,)}
