"""LLM-TRSR and TALLRec on made-up cases: what they ask, what they learn from, and what they leave behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from baselines import yes_no
from baselines.yes_no import YesNoRecommender
from harness import metrics, summarised
from harness.config import TaskConfig
from harness.data.splits import split_of
from harness.errors import InputError
from harness.home import Home
from harness.llm import wording
from harness.llm.losses import Example
from harness.outcomes import Outcomes
from harness.record import FitRecord
from harness.system import Context, Queries, Scorer, find
from harness.tasks import candidates
from tests.worlds import dataset, random_histories

CPU = torch.device("cpu")
PARTS = ("", *["train"] * 6, *["validation"] * 2, *["test"] * 3)
DATA = replace(
    dataset(random_histories(len(PARTS) - 1, 30), 30),
    name="mind-small-sample",
    parts=PARTS,
    fields={"category": ("", *["sport", "news"] * 15)},
)
SPLIT = split_of(DATA)
TASK = TaskConfig(name="candidates", window=8, candidates=4)
TINY = {"backbone": "tiny", "dtype": "float32", "epochs": 2, "batch_size": 4}
SUMMARISED = TINY | {
    "summarizer": "tiny",
    "summarizer_quantisation": "none",
    "summarizer_dtype": "float32",
    "summary_tokens": 5,
}
SYSTEMS = {"trsr-hierarchical": SUMMARISED, "trsr-recurrent": SUMMARISED, "tallrec": TINY}
QUERIES = candidates.part(DATA, SPLIT, "test", TASK, 1).queries(slice(0, 3), CPU)


def context(home: Path, data: object = DATA, seed: int = 1) -> Context:
    task = candidates.part(DATA, SPLIT, "validation", TASK, seed)

    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        return candidates.answer(scorer, task, CPU)

    given = replace(data, sequences=SPLIT.train)  # type: ignore[type-var]
    return Context(
        given, seed, CPU, TASK.window, home / "work", validate, Home(home), lambda line: None, cases=SPLIT.cases
    )


def build(name: str, **settings: object) -> YesNoRecommender:
    spec = find(name)
    return spec.build(spec.config.model_validate(SYSTEMS[name] | settings))  # type: ignore[return-value]


def fit(home: Path, name: str, seed: int = 1, **settings: object) -> tuple[YesNoRecommender, FitRecord]:
    system = build(name, **settings)
    return system, system.fit(SPLIT.train, context(home, seed=seed))


def test_the_papers_settings() -> None:
    paper = find("trsr-hierarchical").config()
    assert (paper.backbone, paper.lora_rank, paper.lora_alpha, paper.lora_dropout) == (
        "meta-llama/Llama-2-7b-hf",
        8,
        16,
        0.05,
    )
    assert paper.lora_targets == ("q_proj", "k_proj", "v_proj", "o_proj")
    assert (paper.learning_rate, paper.schedule, paper.warmup_steps) == (1e-4, "constant", 0)
    assert (paper.betas, paper.weight_decay, paper.epochs, 2 * paper.batch_size) == ((0.9, 0.95), 5e-4, 5, 64)
    assert (paper.loss_on, paper.prompt_tokens, paper.recent) == ("prompt", 2048, 5)
    assert paper.monitor == "Recall@3+Recall@5+Recall@10"
    assert (paper.summarizer, paper.block, paper.blocks) == ("upstage/llama-30b-instruct-2048", 5, 5)
    assert find("tallrec").config().lora_targets == ("q_proj", "v_proj")


@pytest.mark.parametrize("name", SYSTEMS)
def test_same_seed_twice_and_restored_give_identical_scores(tmp_path: Path, name: str) -> None:
    system, said = fit(tmp_path / "a", name)
    again, said_again = fit(tmp_path / "b", name)
    scores = system.score(QUERIES)
    assert scores.shape == (3, 5)
    assert torch.equal(scores, again.score(QUERIES))
    assert said == said_again.model_copy(update={"elapsed_s": said.elapsed_s})
    assert (said.steps, said.monitor, said.notes["training_cases"]) == (4, "Recall@3+Recall@5+Recall@10", 6)
    restored = build(name)
    restored.restore({key: value.clone() for key, value in system.weights().items()}, context(tmp_path / "a"))
    assert torch.equal(scores, restored.score(QUERIES))


def examples(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, **settings: object) -> dict[int, list[Example]]:
    """The examples of each training case."""
    seen: dict[int, list[Example]] = {}

    def tune(llm: object, example: Callable[[int], list[Example]], order: np.ndarray, *rest: object) -> FitRecord:
        seen.update({int(user): example(int(user)) for user in order[0]})
        return FitRecord()

    monkeypatch.setattr(yes_no, "tune", tune)
    fit(home, name, **settings)
    return seen


@pytest.mark.parametrize("name", ["trsr-hierarchical", "tallrec"])
def test_a_training_case_is_asked_about_its_answer_and_about_a_drawn_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    seen = examples(tmp_path, monkeypatch, name)
    assert sorted(seen) == SPLIT.cases.tolist() == [1, 2, 3, 4, 5, 6]
    place, answers = ("Target item", ["Yes.", "No."]) if name == "tallrec" else ("Candidate", ["yes", "no"])
    for user, pair in seen.items():
        candidate, other = ("".join(map(character, one.prompt)).rpartition(place)[2] for one in pair)
        title = f"Title {SPLIT.train[user][-1]} ("
        assert title in candidate
        assert title not in other
        assert ["".join(map(character, one.answer[:-1])) for one in pair] == answers
        assert [one.answer[-1] for one in pair] == [1, 1]


def character(token: int) -> str:
    """A token of the tiny backbone as text: the byte-level alphabet, whose printable ASCII is itself."""
    from tokenizers import pre_tokenizers

    piece = sorted(pre_tokenizers.ByteLevel.alphabet())[token - 2]
    return {"Ġ": " ", "Ċ": "\n"}.get(piece, piece)


def asked(home: Path, name: str, **settings: object) -> str:
    """The first prompt about the first test query."""
    system = build(name, **settings)
    system.restore(fit(home, name, **settings)[0].weights(), context(home))
    row = QUERIES.history[0]
    history = system._history(int(QUERIES.user[0]), row[row > 0].numpy())
    system.prepare([history])
    return "".join(map(character, system._prompts(history, QUERIES.candidates[0].numpy())[0]))


def test_a_prompt_has_summary_recent_items_and_candidate(tmp_path: Path) -> None:
    text = asked(tmp_path, "trsr-hierarchical", recent=2, summarizer="frequent", epochs=1)
    row = QUERIES.history[0]
    recent = [DATA.titles[item] for item in row[row > 0].tolist()[-2:]]
    between = text.partition("Recent articles:\n")[2].partition("\n\nCandidate")[0]
    assert [line.rpartition("title: ")[2] for line in between.split("\n")] == recent
    assert "Preference summary:\nMost frequent categories: " in text
    first = int(QUERIES.candidates[0, 0])
    described = f"id: i{first}; category: {DATA.fields['category'][first]}; title: {DATA.titles[first]}"
    assert text.partition("Candidate article:\n")[2] == f"{described}\n\n### Assistant:\n"


def test_no_recent_items_and_no_summary_leave_the_place_to_nothing(tmp_path: Path) -> None:
    text = asked(tmp_path, "trsr-recurrent", recent=0, summarizer="none", epochs=1)
    assert "Preference summary:\n(nothing is known)\n\nRecent articles:\n(nothing is known)\n\n" in text


def test_what_asking_costs_is_told_per_case(tmp_path: Path) -> None:
    system, _ = fit(tmp_path, "tallrec", epochs=1)
    assert "asking_tokens_per_case" not in system.notes()  # those of validation are not counted
    system.score(QUERIES)
    tokens = 0
    for user, row, offered in zip(QUERIES.user.tolist(), QUERIES.history, QUERIES.candidates, strict=True):
        prompts = system._prompts(system._history(user, row[row > 0].numpy()), offered.numpy())
        shared = next(place for place, column in enumerate(zip(*prompts, strict=False)) if len(set(column)) > 1)
        tokens += shared + sum(len(prompt) - shared for prompt in prompts)
    assert system.notes()["asking_tokens_per_case"] == tokens / 3
    assert system.notes()["asking_seconds_per_case"] > 0
    assert system.notes()["unseen_user"] == "by the history, as any other"


@pytest.mark.parametrize("name", ["tallrec", "trsr-hierarchical"])
def test_a_resumed_run_tells_the_same(tmp_path: Path, name: str) -> None:
    told = []
    for _ in range(2):  # the second finds the first one's last checkpoint, and neither tunes nor validates
        system, _ = fit(tmp_path, name, prompt_tokens=800, epochs=1)
        system.score(QUERIES)
        tasks = tuple(candidates.part(DATA, SPLIT, part, TASK, 1) for part in ("validation", "test"))
        said = system.notes() | summarised.notes(system, SPLIT, tasks, 1)
        told.append({key: value for key, value in said.items() if "seconds" not in key})
    assert told[0] == told[1]


def test_what_is_too_long_is_cut_and_counted(tmp_path: Path) -> None:
    system, _ = fit(tmp_path, "tallrec", prompt_tokens=350, epochs=1)
    system.score(QUERIES)
    once = system.notes()["cases_cut"]
    assert once > 0
    system.score(QUERIES)
    assert system.notes()["cases_cut"] == once  # a case that is asked about again is none more
    with pytest.raises(InputError, match="without any history, and .* fit; raise prompt_tokens"):
        fit(tmp_path, "tallrec", prompt_tokens=100)


def test_a_wording_of_other_fields_is_refused_and_what_the_data_lacks_is_noted(tmp_path: Path) -> None:
    file, own = tmp_path / "mine.yaml", yaml.safe_load(wording.locate("tallrec", "any").read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(own | {"fields": ["titel", "categorie"]}))
    with pytest.raises(InputError, match=r"mine\.yaml: fields: titel, categorie: mind-small-sample has none of them"):
        fit(tmp_path, "tallrec", prompts=str(file))
    file.write_text(yaml.safe_dump(own | {"fields": ["title", "categorie"]}))
    system, _ = fit(tmp_path, "tallrec", prompts=str(file), epochs=1)
    assert system.notes()["fields_that_the_data_lacks"] == "categorie"


def test_summaries_are_checked_against_every_case_of_the_run(tmp_path: Path) -> None:
    system, _ = fit(tmp_path, "trsr-recurrent", epochs=1)
    system.score(QUERIES)
    tasks = tuple(candidates.part(DATA, SPLIT, part, TASK, 1) for part in ("validation", "test"))
    said = summarised.notes(system, SPLIT, tasks, 1)
    assert (said["summaries"], said["summaries_of_unknown_histories"]) == (11, 0)
    row = QUERIES.history[0]
    target = int(tasks[1].targets[0])
    peeking = Queries(QUERIES.user[:1], torch.cat([row, torch.tensor([target])])[None], QUERIES.candidates[:1])
    system.score(peeking)
    assert summarised.notes(system, SPLIT, tasks, 1)["summaries_of_unknown_histories"] == 1
    assert summarised.notes(find("popularity").build(None), SPLIT, tasks, 1) == {}


def test_summaries_can_be_read_in_the_runs_folder(tmp_path: Path) -> None:
    system, _ = fit(tmp_path, "trsr-recurrent", summarizer="frequent", epochs=1)
    summarised.write(system, DATA, tmp_path / "summaries.parquet")
    rows = pq.read_table(tmp_path / "summaries.parquet").to_pylist()
    made = system.summaries()
    assert len(rows) == len(made.texts) > 0
    by_user = {DATA.raw_users[history.user]: (history, text) for history, text in made.texts.items()}
    for row in rows:
        history, text = by_user[row["user"]]
        assert row["summary"] == text != ""
        assert row["items"] == [DATA.raw_items[item] for item in history.items]
    summarised.write(find("popularity").build(None), DATA, tmp_path / "none.parquet")
    assert not (tmp_path / "none.parquet").exists()


def test_a_constant_scorer_gets_everything_by_the_authors_rule_and_nothing_by_ours() -> None:
    task = candidates.part(DATA, SPLIT, "test", TASK, 1)
    found = candidates.answer(lambda queries: torch.zeros(queries.candidates.shape), task, CPU)
    assert found.ties.tolist() == [4, 4, 4]
    assert metrics.estimate(found, "Recall", 3) == 0
    assert metrics.estimate(found, "Recall", 3, "target-first") == 1


def test_no_candidates_and_no_cases_are_told(tmp_path: Path) -> None:
    system, _ = fit(tmp_path, "tallrec", epochs=1)
    with pytest.raises(InputError, match="take --task candidates"):
        system.score(Queries(QUERIES.user, QUERIES.history))
    none = replace(context(tmp_path), cases=np.empty(0, dtype=np.int64))
    with pytest.raises(InputError, match="has no training case"):
        build("tallrec").fit(SPLIT.train, none)
