"""The candidates task the whole way: from the command line to runs that any two systems are compared by."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from baselines.popularity import Popularity, PopularityConfig
from harness import store
from harness import system as register
from harness.data import catalogue
from harness.data.cases import Sizes
from harness.data.catalogue import Counts, Form
from harness.data.dataset import Sequences
from harness.data.sources import SourceFile
from harness.record import FitRecord
from harness.seeds import rng
from harness.system import Context, Queries, SystemSpec
from harness.tasks import ranking
from tests.command_line import Harness

NAME, SIZES = "mind-small-sample", Sizes(train=12, validation=6, test=12)

SYSTEMS = ("popularity", "popularity-category", "sasrec", "narm", "gru4rec", "core", "ncf", "din", "dien")


class Spy(Popularity):
    """Popularity that remembers what it was given."""

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        Spy.train, Spy.context = train, context
        return super().fit(train, context)


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in MIND's format, in a mirror, under the name of the sample."""
    folder = tmp_path / "mirror" / NAME
    folder.mkdir(parents=True)
    titles = [f"N{item}\tkind{item % 3}\t\tStory {item}\t\t\t\t" for item in range(60)]
    users = []
    for user in range(30):
        history = (rng(user, "clicks").permutation(60)[: 11 + user % 5] // 2).tolist()
        users.append(f"1\tU{user}\tnow\t{' '.join(f'N{item}' for item in history)}\tN1-0")
    for name, lines in (("behaviors.tsv.gz", users), ("news.tsv.gz", titles)):
        (folder / name).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    files = (SourceFile(name="behaviors.tsv.gz"), SourceFile(name="news.tsv.gz"))
    small = catalogue.Entry(
        title="small",
        terms="made up",
        counts=Counts(users=30, items=60, interactions=None),
        forms=(Form(reader="mind", files=files),),
        cases=SIZES,
    )
    monkeypatch.setattr(catalogue, "entries", lambda: {NAME: small})
    monkeypatch.setenv("LLMREC_MIRROR", str(folder.parent))
    return Path(NAME)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[int]]:
    """User -> candidates of the queries that were asked last."""
    seen: dict[int, list[int]] = {}
    ask = ranking.ask

    def recording(scorer: Callable[[Queries], Tensor], queries: Queries, target: Tensor):
        assert queries.candidates is not None
        seen.update(zip(queries.user.tolist(), queries.candidates.tolist(), strict=True))
        return ask(scorer, queries, target)

    monkeypatch.setattr("harness.tasks.ranking.ask", recording)
    return seen


def test_systems_of_any_kind_answer_the_same_queries_and_are_compared(
    harness: Harness, news: Path, asked: dict[int, list[int]]
) -> None:
    runs, offered = [], []
    for system in SYSTEMS:
        asked.clear()
        made = harness.run(system, news)
        assert list(made["metrics"]) == [f"{m}@{k}" for k in (3, 5, 10) for m in ("Recall", "MRR", "NDCG")]
        runs.append(str(made["run"]))
        offered.append({user: row for user, row in asked.items() if user})
    tested = store.find(harness.home / "runs", runs[0])
    assert tested is not None
    users = tested.outcomes().query.tolist()
    assert len(users) == SIZES.test
    assert len({json.dumps([one[user] for user in users]) for one in offered}) == 1
    status, out, error = harness("compare", *runs, "--json")
    assert status == 0, error
    assert len(json.loads(out)) == math.comb(len(SYSTEMS), 2) * 9


def test_repeated_targets_are_counted_among_those_that_are_asked_about(harness: Harness, news: Path) -> None:
    def seen(limit: str) -> tuple[int, int]:
        made = harness.run("popularity", news, "--set", f"task.test_limit={limit}")
        queries = store.open_run(Path(str(made["folder"]))).record.queries
        return queries.asked, queries.target_seen

    (asked, repeated), (few, repeated_of_few) = seen("null"), seen("2")
    assert (asked, few) == (SIZES.test, 2)
    assert repeated_of_few <= 2 < repeated


@pytest.mark.parametrize(("summarizer", "recorded"), [("tiny", "tiny"), ("frequent", None)])
def test_the_model_that_summarises_is_recorded(
    harness: Harness, news: Path, summarizer: str, recorded: str | None
) -> None:
    few = ("--set=cases=2", "--set=task.test_limit=2", "--set=validate_limit=1", "--set=blocks=1")
    made = harness.run("trsr-recurrent", news, f"--set=summarizer={summarizer}", *few)
    record = store.open_run(Path(str(made["folder"]))).record
    assert record.model is not None
    assert record.summarizer == (record.model if recorded else None)
    assert record.fit.notes["training_cases"] == 2


def test_another_seed_or_rule_asks_other_candidates(harness: Harness, news: Path, asked: dict[int, list[int]]) -> None:
    offered = []
    for more in ((), ("--seed", "43"), ("--set", "task.negatives=popularity")):
        asked.clear()
        harness.run("popularity", news, *more)
        offered.append(dict(asked))
    assert offered[0].keys() == offered[1].keys() == offered[2].keys()
    assert all(offered[0] != other for other in offered[1:])


def test_a_system_is_given_every_history_and_no_held_out_answer(
    harness: Harness, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SystemSpec(name="spy", source="made up", config=PopularityConfig, build=Spy, tasks=("candidates",))
    monkeypatch.setitem(register._REGISTER, "spy", spec)
    harness.run("spy", news)
    dataset = Spy.context.dataset
    assert dataset.parts is not None
    trained = [user for user, part in enumerate(dataset.parts) if part == "train"]
    assert Spy.context.cases.tolist() == trained
    assert len(trained) == SIZES.train
    for user, raw in enumerate(dataset.raw_users[1:], 1):
        clicks = 11 + int(raw[1:]) % 5
        assert len(Spy.train[user]) == len(dataset.sequences[user]) == clicks - (user not in trained)


@pytest.mark.parametrize("system", ["sasrec", "core", "ncf", "din", "dien"])
def test_scores_do_not_hang_on_held_out_answers(harness: Harness, news: Path, system: str) -> None:
    made = harness.run(system, news, "--probe", "label-blind")
    assert made["label_blind"] == [{"equal": True, "largest_difference": 0.0}]


def test_sets_that_are_split_by_leaving_one_out_have_candidates_too(harness: Harness, films: Path) -> None:
    made = harness.run("sasrec", films, "--task", "candidates", "--set=task.candidates=9", "--set=task.test_limit=null")
    run = store.open_run(Path(str(made["folder"])))
    assert run.outcomes().query.tolist() == list(range(1, 61))
    assert run.outcomes().rank.max() <= 10
    assert run.record.queries.asked == 60
    assert not (run.folder / store.LISTS).exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--task", "next-item"), "mind-small-sample: every user is one case, asked among candidates; take task cand"),
        (("--set", "task.candidates=60"), "mind-small-sample: has 60 items; task.candidates=60 needs at least 61"),
        (("--probe", "ceiling"), "--probe ceiling: every target of task candidates is among them"),
        (("--set", "task.negatives=hard"), "task: negatives: Input should be 'uniform' or 'popularity'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(
    harness: Harness, news: Path, more: tuple[str, ...], message: str
) -> None:
    status, _, error = harness("run", "popularity", "--dataset", str(news), "--profile", "smoke", *more)
    assert (status, error.count("error:"), message in error) == (2, 1, True), error


def test_next_item_draws_no_negatives(harness: Harness, films: Path) -> None:
    arguments = ("run", "popularity", "--dataset", str(films), "--set", "task.negatives=popularity")
    status, _, error = harness(*arguments)
    assert status == 2
    assert "task.negatives=popularity: is of task candidates; next-item draws none" in error


def test_a_constant_scorer_gets_nothing_and_all_of_it_target_first(
    harness: Harness, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Popularity, "score", lambda self, queries: torch.zeros(queries.candidates.shape))
    made = harness.run("popularity", news)
    run = store.open_run(Path(str(made["folder"])))
    assert set(run.outcomes().rank.tolist()) == {21}
    assert set(run.outcomes().ties.tolist()) == {20}
    assert made["metrics"] == dict.fromkeys(made["metrics"], 0.0)


def test_a_limited_run_asks_the_same_users_whatever_its_seed(harness: Harness, news: Path) -> None:
    asked = []
    for seed in ("1", "2"):
        made = harness.run("popularity", news, "--seed", seed, "--set=task.test_limit=5")
        asked.append(store.open_run(Path(str(made["folder"]))).outcomes().query.tolist())
    assert asked[0] == asked[1]
    assert len(asked[0]) == 5
