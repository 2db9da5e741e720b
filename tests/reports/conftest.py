from pathlib import Path

import pytest

from harness.cell import Cell
from harness.cells import cells
from harness.papers import paper
from harness.record import FitRecord, QueryCounts
from harness.seeds import rng
from harness.store import Run
from tests.made_runs import NEVER_HELD, RATINGS, SMOL, make_run

PAPER = paper.load("llamarec")
COMMAND = "harness reproduce llamarec --profile cpu --seeds 42,43"
USERS = 64


@pytest.fixture(autouse=True)
def _budget_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.columns.is_paper_budget", lambda config: config.profile == "paper")


def some_ranks(name: str, seed: int, farthest: int) -> list[int]:
    return [int(rank) for rank in rng(seed, name).integers(1, farthest, size=USERS)]


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """ML-100k: popularity and NARM with two seeds, LRURec and a ranker that ends below it with one."""
    folder = tmp_path / "runs"
    made = [make_run(folder, "popularity", some_ranks("popularity", 42, 400), profile="cpu")]
    made += [make_run(folder, "narm", some_ranks("narm", seed, 200), profile="cpu", seed=seed) for seed in (42, 43)]
    given = [1, 2, 3, 4, 30] * 12 + [50] * 4
    retriever = make_run(folder, "lrurec", given, profile="cpu", dirty=True, data=(RATINGS, NEVER_HELD))
    ranker = make_run(
        folder,
        "llamarec",
        [20 if rank <= 20 else rank for rank in given],
        profile="cpu",
        retriever=retriever,
        asked=[rank <= 20 for rank in given],
        model=SMOL,
        fit=FitRecord(
            steps=20,
            best_step=20,
            stopped="budget",
            monitor="NDCG@10",
            curve=((10, 0.25, 4.5), (20, 0.375, 3.25)),
            notes={"prompts_seen": 315, "letter_loss": 3.1415926, "letters": 20},
        ),
        settings={"batch_size": 16},
        queries=QueryCounts(asked=48, withheld=16, target_seen=3),
        data_notes=("raw.zip is unpinned: accepted on the published counts",),
    )
    return [*made, retriever, ranker]


@pytest.fixture
def all_cells(runs: list[Run]) -> list[Cell]:
    return [cell for table in PAPER.tables for cell in cells(PAPER, table, runs)]
