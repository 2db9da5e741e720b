"""Probes the whole way: from the command line to what is kept of a probed run, and where it never turns up."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from baselines.popularity import Popularity, PopularityConfig
from harness import blind, metrics, store
from harness import system as register
from harness.data.dataset import Sequences
from harness.errors import InputError
from harness.record import FitRecord
from harness.store import Run
from harness.system import Context, Queries, SystemSpec
from tests.command_line import Harness


class ById(Popularity):
    """Prefers low item ids: what ``permute-ids`` is there to find."""

    def score(self, queries: Queries) -> Tensor:
        return -torch.arange(len(self.counts)).repeat(len(queries), 1).float()


class Grabbing(Popularity):
    """Takes the data set that its validation holds on to, and prefers each user's last item."""

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        cells = [cell.cell_contents for cell in context.validate.__closure__]  # type: ignore[attr-defined]
        (task,) = (cell for cell in cells if hasattr(cell, "targets"))
        ends = task.dataset.sequences.offsets[1:] - 1
        self.targets = torch.from_numpy(task.dataset.sequences.items[ends].astype(np.int64))
        return super().fit(train, context)

    def score(self, queries: Queries) -> Tensor:
        scores = super().score(queries)
        return scores.scatter(1, self.targets[queries.user - 1][:, None], 1e6)


class Reading(Grabbing):
    """Reads the targets off a finished run under its home: the item at the rank that the run gave the target."""

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        self.targets = torch.ones(len(train), dtype=torch.int64)
        for path in context.home.runs.glob("lrurec-*/lists.parquet"):
            lists = np.stack(pq.read_table(path)["test"].to_numpy())
            ranks = pq.read_table(path.with_name("outcomes.parquet"))["rank"].to_numpy()
            found = np.flatnonzero(ranks <= lists.shape[1])
            self.targets[found] = torch.from_numpy(lists[found, ranks[found] - 1].astype(np.int64))
        return Popularity.fit(self, train, context)


@pytest.fixture
def cheat(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Popularity]], str]:
    """Registers a system for one test."""

    def add(build: type[Popularity]) -> str:
        name = build.__name__.lower()
        spec = SystemSpec(name=name, source="made up", config=PopularityConfig, build=build)
        monkeypatch.setitem(register._REGISTER, name, spec)
        return name

    return add


def opened(made: dict[str, object]) -> Run:
    return store.open_run(Path(str(made["folder"])))


def test_the_retrievers_order_asked_again_is_the_run_itself_to_the_bit(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = opened(harness.run("llamarec", films))
    monkeypatch.setattr("baselines.reranker.tune", None)  # whatever trains would fail
    made = harness.run("llamarec", films, "--probe", "order:retriever")
    probed = opened(made)
    assert probed.record.run != base.record.run
    assert probed.folder.name.endswith(f"-seed42-order-retriever-{probed.record.run}")
    assert probed.record.files["outcomes.parquet"] == base.record.files["outcomes.parquet"]
    assert probed.record.fit.notes["weights_of_run"] == base.record.run

    rows, outcomes = made["by_position"], probed.outcomes()
    asked = outcomes.take(outcomes.asked)
    assert isinstance(rows, list)
    assert sum(row["users"] for row in rows) == len(asked)
    mean = sum(row["users"] * row["NDCG@10"] for row in rows) / len(asked)
    assert mean == pytest.approx(metrics.estimate(asked, "NDCG", 10))
    retriever = store.find(harness.home / "runs", base.config.retriever.run if base.config.retriever else "")
    assert retriever is not None
    ranks = retriever.outcomes().rank
    assert pq.read_table(probed.folder / "positions.parquet").to_pydict() == {
        "query": asked.query.tolist(),
        "position": ranks[ranks <= 20].tolist(),
    }


def test_a_probe_is_compared_with_the_run_it_asked_again(harness: Harness, films: Path) -> None:
    runs = [str(harness.run("llamarec", films, *more)["run"]) for more in (("--probe", "order:target-last"), ())]
    status, out, error = harness("compare", *runs, "--json")
    assert status == 0, error
    (row,) = (row for row in json.loads(out) if row["metric"] == "NDCG@10")
    assert row["difference"] != 0
    assert all(run in row[side] for run, side in zip(runs, "ab", strict=True))


def test_the_other_orders_show_the_target_elsewhere(harness: Harness, films: Path) -> None:
    def positions(order: str) -> list[int]:
        folder = opened(harness.run("llamarec", films, "--probe", f"order:{order}")).folder
        places: list[int] = pq.read_table(folder / "positions.parquet")["position"].to_pylist()
        return places

    own = positions("retriever")
    assert positions("reversed") == [21 - place for place in own]
    assert positions("target-last") == [20] * len(own)
    assert positions("shuffled") not in (own, positions("reversed"))
    assert harness.run("llamarec", films, "--probe", "order:shuffled")["cached"]
    status, out, _ = harness(
        "run", "llamarec", "--dataset", str(films), "--profile", "smoke", "--probe", "order:target-last"
    )
    assert (status, "by position" in out, "│ T " in out) == (0, True, True)


def test_other_ids_change_nothing_but_for_a_system_that_reads_them(
    harness: Harness, films: Path, cheat: Callable[[type[Popularity]], str]
) -> None:
    def ranks(system: str, *more: str) -> list[int]:
        return opened(harness.run(system, films, *more)).outcomes().rank.tolist()

    assert ranks("popularity", "--probe", "permute-ids") == ranks("popularity")
    by_id = cheat(ById)
    assert ranks(by_id, "--probe", "permute-ids") != ranks(by_id)


def test_a_ranker_gets_its_retrievers_lists_with_the_ids_renamed(harness: Harness, films: Path) -> None:
    probed, base = (opened(harness.run("llamarec", films, *more)) for more in (("--probe", "permute-ids"), ()))
    assert probed.config.retriever == base.config.retriever
    assert probed.outcomes().asked.tolist() == base.outcomes().asked.tolist()
    assert probed.record.fit.notes["validation_NDCG@10_untuned"] == base.record.fit.notes["validation_NDCG@10_untuned"]


@pytest.mark.parametrize("system", ["popularity", "lrurec", "llamarec"])
def test_honest_scores_do_not_depend_on_the_targets(harness: Harness, films: Path, system: str) -> None:
    made = harness.run(system, films, "--probe", "label-blind")
    assert made["label_blind"] == [{"equal": True, "largest_difference": 0.0}]
    base = opened(harness.run(system, films))
    assert opened(made).record.files["outcomes.parquet"] == base.record.files["outcomes.parquet"]
    assert not list((harness.home / "work").glob("*/"))


@pytest.mark.parametrize("build", [Grabbing, Reading])
def test_a_system_that_peeks_is_caught(
    harness: Harness, films: Path, cheat: Callable[[type[Popularity]], str], build: type[Popularity]
) -> None:
    harness.run("lrurec", films)
    name = cheat(build)
    assert harness.run(name, films)["metrics"]["MRR@5"] > 0.5  # type: ignore[index]
    for _ in ("made", "cached"):
        status, out, error = harness(
            "run", name, "--dataset", str(films), "--profile", "smoke", "--probe", "label-blind", "--json"
        )
        assert status == 1
        assert error.splitlines()[-1].startswith(f"error: label-blind: {name}'s scores differ by up to 1e+06")
        made = json.loads(out)
        assert made["label_blind"] == [{"equal": False, "largest_difference": pytest.approx(1e6, rel=1e-3)}]
        assert opened(made).record.fit.notes["scores_with_other_targets"] == "differ"


def test_the_retriever_of_the_second_training_keeps_no_ranks(harness: Harness, films: Path, tmp_path: Path) -> None:
    run = opened(harness.run("popularity", films))
    copy = blind.without_ranks(run, tmp_path / "copy")
    for part in store.PARTS:
        assert copy.lists(part).tolist() == run.lists(part).tolist()
    assert copy.validation().rank.tolist() == run.validation().rank.tolist()
    with pytest.raises(InputError, match="outcomes.parquet"):
        copy.outcomes()


def test_the_ceiling_needs_no_ranker(harness: Harness, films: Path) -> None:
    retriever = opened(harness.run("lrurec", films))
    expected = [1 if rank <= 20 else rank for rank in retriever.outcomes().rank]
    behind = opened(harness.run("llamarec", films, "--probe", "ceiling", "--backbone", "/no/such/backbone"))
    own = opened(harness.run("lrurec", films, "--probe", "ceiling"))
    assert behind.outcomes().rank.tolist() == own.outcomes().rank.tolist() == expected
    assert behind.record.queries.asked == expected.count(1)
    assert behind.record.model is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lrurec", "--probe", "order:reversed"], "--probe order:reversed: system lrurec ranks the whole catalogue"),
        (["llamarec", "--probe", "order:random"], "--probe order:random: unknown; known: order:retriever, "),
        (["lrurec", "--probe", "permute-ids", "--grid"], "--probe: a search is made without one"),
    ],
)
def test_a_probe_that_cannot_be_is_one_line(harness: Harness, films: Path, arguments: list[str], message: str) -> None:
    status, out, error = harness("run", *arguments, "--dataset", str(films), "--profile", "smoke")
    assert (status, out) == (2, "")
    assert error.startswith(f"error: {message}")


def test_a_probed_run_is_no_retriever(harness: Harness, films: Path) -> None:
    probed = harness.run("lrurec", films, "--probe", "permute-ids")
    status, _, error = harness(
        "run", "llamarec", "--dataset", str(films), "--profile", "smoke", "--retriever", str(probed["run"])
    )
    assert status == 2
    assert f"retriever run {probed['run']}: is probed by permute-ids; name one that is not" in error
    assert opened(harness.run("llamarec", films)).config.retriever.run != probed["run"]  # type: ignore[union-attr]
