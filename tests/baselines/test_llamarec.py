from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from baselines.llamarec import LlamaRec
from baselines.next_item_examples import before, next_items, random_candidates, retrieved_candidates
from baselines.reranker import RerankerConfig, retrievers_order
from harness import metrics
from harness.config import TaskConfig
from harness.data.dataset import Dataset, Ids
from harness.data.splits import leave_one_out
from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, verbalizer
from harness.llm.losses import Example
from harness.outcomes import Outcomes
from harness.record import FitRecord
from harness.seeds import rng
from harness.system import Context, Queries, Scorer, find
from harness.tasks import next_item, rerank
from tests.worlds import dataset, random_histories

CPU = torch.device("cpu")
N_ITEMS = 20
DATA = dataset(random_histories(16, N_ITEMS), N_ITEMS)
TINY = {
    "backbone": "tiny",
    "quantisation": "none",
    "dtype": "float32",
    "batch_size": 8,
    "prompts": 16,
    "warmup_steps": 1,
}


def by_id(queries: Queries) -> Tensor:
    """A retriever that likes low ids."""
    return -torch.arange(N_ITEMS + 1.0).repeat(len(queries), 1)


def context(home: Path, data: Dataset = DATA, seed: int = 1) -> Context:
    task = next_item.part(data, leave_one_out(data), "validation", TaskConfig(candidates=6))
    found, lists = next_item.answer(by_id, task, CPU, 6)
    retrieved = rerank.Retrieved(lists, found)

    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        return rerank.answer(scorer, task, retrieved, rerank.sample(task, retrieved, limit, seed), CPU)

    return Context(data, seed, CPU, 50, home / "work", validate, Home(home), lambda line: None)


def fit(home: Path, data: Dataset = DATA, seed: int = 1, **settings: object) -> tuple[LlamaRec, FitRecord]:
    system = LlamaRec(RerankerConfig.model_validate(TINY | settings))
    return system, system.fit(leave_one_out(data).train, context(home, data, seed))


QUERIES = Queries(
    user=torch.tensor([1, 2]),
    history=torch.tensor([[0, 0, 3], [4, 5, 6]]),
    candidates=torch.tensor([[7, 8, 9, 10], [1, 2, 3, 7]]),
)


def test_it_is_registered_with_the_papers_settings() -> None:
    spec = find("llamarec")
    paper = spec.config()
    assert (spec.llm, spec.conventional) == ("LoRA-tuned", True)
    assert (paper.backbone, paper.quantisation, paper.learning_rate) == ("meta-llama/Llama-2-7b-hf", "nf4", 1e-4)
    assert (paper.lora_rank, paper.lora_alpha, paper.lora_targets) == (8, 32, ("q_proj", "v_proj"))
    assert (paper.warmup_steps, paper.validate_every, paper.patience, paper.prompts) == (100, 100, 20, None)


def test_same_seed_twice_gives_identical_scores(tmp_path: Path) -> None:
    (first, said), (second, said_again) = fit(tmp_path / "a"), fit(tmp_path / "b")
    assert torch.equal(first.score(QUERIES), second.score(QUERIES))
    assert said == said_again.model_copy(update={"elapsed_s": said.elapsed_s})
    other, _ = fit(tmp_path / "c", seed=2)
    assert not torch.equal(first.score(QUERIES), other.score(QUERIES))


def test_the_retrievers_own_order_is_validated_too(tmp_path: Path) -> None:
    _, said = fit(tmp_path)
    given = context(tmp_path)
    assert retrievers_order(QUERIES).argsort(descending=True).tolist() == [[0, 1, 2, 3]] * 2
    found = given.validate(retrievers_order)
    assert said.notes["validation_NDCG@10_of_the_retriever"] == metrics.estimate(found, "NDCG", 10)


def test_tuning_can_end_at_the_retrievers_own_order(tmp_path: Path) -> None:
    settings = {"validate_every": 1, "prompts": 64, "learning_rate": 0.1}
    plain, ended = (fit(tmp_path / str(until), until_retriever=until, **settings)[1] for until in (False, True))
    reached = [step for step, metric, _ in plain.curve if metric >= plain.notes["validation_NDCG@10_of_the_retriever"]]
    assert plain.steps == 8 > reached[0]
    assert (plain.stopped, ended.stopped, ended.steps) == ("budget", "goal", reached[0])
    assert ended.curve == plain.curve[: reached[0]]


def test_what_a_fit_leaves(tmp_path: Path) -> None:
    system, said = fit(tmp_path)
    assert (said.steps, said.stopped, said.monitor) == (2, "budget", "NDCG@10")
    assert said.notes["prompts_seen"] == 16
    assert system.backbone() == backbone.load("tiny", Home(tmp_path), CPU, dtype="float32").record
    assert all("lora_" in name for name in system.weights())


def test_restored_from_its_adapter_it_scores_the_same(tmp_path: Path) -> None:
    fitted, _ = fit(tmp_path)
    restored = LlamaRec(fitted.settings)
    restored.restore({name: value.clone() for name, value in fitted.weights().items()}, context(tmp_path, seed=5))
    assert torch.equal(fitted.score(QUERIES), restored.score(QUERIES))
    with pytest.raises(InputError, match="weights: tensor .* is none; this model's is"):
        restored.restore({}, context(tmp_path))


def test_nf4_can_be_tuned_on_the_cpu(tmp_path: Path) -> None:
    system, said = fit(tmp_path, quantisation="nf4", prompts=16)
    assert system.backbone().quantisation == "nf4"
    assert said.notes["prompts_seen"] == 16
    assert all(len(row.unique()) == 4 for row in system.score(QUERIES))


def test_scores_do_not_depend_on_the_batch_or_on_other_queries(tmp_path: Path) -> None:
    system, _ = fit(tmp_path)
    together = system.score(QUERIES)
    assert together.shape == (2, 4)
    for row in range(2):
        one = slice(row, row + 1)
        alone = system.score(Queries(QUERIES.user[one], QUERIES.history[one], QUERIES.candidates[one]))
        torch.testing.assert_close(alone, together[one], rtol=1e-5, atol=1e-5)


def test_prompts_name_the_most_recent_items_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(DATA, titles=("", "Matrix, The (1999)", *DATA.titles[2:]))
    system, _ = fit(tmp_path, data, clean_titles=True, history=2, title_tokens=10)
    seen: list[str] = []

    def recorded(llm: backbone.Backbone, texts: Sequence[Sequence[int]], *rest: object) -> None:
        seen.extend(llm.tokenizer.decode(text) for text in texts)

    monkeypatch.setattr(verbalizer, "score", recorded)
    system.score(Queries(torch.tensor([1]), torch.tensor([[0, 4, 2, 1]]), torch.tensor([[3, 1]])))
    assert (
        "User history: (1) Title 2 (1 \n (2) The Matrix; Candidate pool: (A) Title 3 (1 \n (B) The Matrix\n" in seen[0]
    )


def test_more_candidates_than_labels_is_an_error(tmp_path: Path) -> None:
    system, _ = fit(tmp_path)
    with pytest.raises(InputError, match="llamarec: needs lists of at most 62 candidates"):
        system.score(Queries(torch.tensor([1]), torch.tensor([[1]]), torch.ones((1, 63), dtype=torch.int64)))


def test_every_item_but_each_users_first_is_an_answer() -> None:
    train = dataset([[1, 2, 3], [4, 5]]).sequences
    assert next_items(train).tolist() == [1, 2, 4]
    assert [before(train, position).tolist() for position in (1, 2, 4)] == [[1], [1, 2], [4]]


@given(seed=st.integers(0, 10), index=st.integers(0, 50), negatives=st.integers(1, 25))
def test_random_candidates(seed: int, index: int, negatives: int) -> None:
    train = DATA.sequences
    position = int(next_items(train)[index])
    history, item = before(train, position), int(train.items[position])
    candidates = random_candidates(history, item, N_ITEMS, negatives, rng(seed)).tolist()
    assert candidates.count(item) == 1
    assert len(set(candidates)) == len(candidates) == 1 + min(negatives, N_ITEMS - len(history) - 1)
    assert not set(candidates) & set(history.tolist())


def test_answers_stand_anywhere_among_random_candidates() -> None:
    none = np.zeros(0, dtype=np.int32)
    places = {int(np.argmax(random_candidates(none, 3, N_ITEMS, 3, rng(seed)) == 3)) for seed in range(60)}
    assert places == {0, 1, 2, 3}


def test_an_answer_that_was_not_retrieved_takes_the_last_place() -> None:
    found = np.array([7, 5, 9], dtype=np.int32)
    assert retrieved_candidates(found, 5).tolist() == [7, 5, 9]
    assert retrieved_candidates(found, 4).tolist() == [7, 5, 4]
    assert found.tolist() == [7, 5, 9]


def test_training_prompts_offer_what_the_retriever_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = leave_one_out(DATA).train
    given, seen = context(tmp_path), []

    def retrieve(history: Ids, answer: int) -> Ids:
        return rerank.retrieve(by_id, history, answer, TaskConfig(candidates=6), CPU)

    def tune(llm: object, example: Callable[[int], list[Example]], order: Ids, *rest: object, goal: float) -> FitRecord:
        for position in next_items(train).tolist():
            (one,) = example(position)
            letter, end = one.answer
            assert end == system.llm.tokenizer.eos_token_id
            seen.append((position, system.llm.tokenizer.decode(one.prompt), system.labels.tokens.index(letter)))
        return FitRecord()

    monkeypatch.setattr("baselines.reranker.tune", tune)
    system = LlamaRec(RerankerConfig.model_validate(TINY | {"train_candidates": "retrieved"}))
    record = system.fit(train, replace(given, retrieve=retrieve))
    assert record.notes["letters"] == 6
    places = set()
    for position, text, place in seen:
        history, item = before(train, position).tolist(), int(train.items[position])
        allowed = [other for other in range(1, N_ITEMS + 1) if other not in history][:6]
        wanted = allowed if item in allowed else [*allowed[:-1], item]
        lettered = " \n ".join(f"({letter}) {DATA.titles[i]}" for letter, i in zip("ABCDEF", wanted, strict=True))
        watched = " \n ".join(f"({place}) {DATA.titles[i]}" for place, i in enumerate(history, start=1))
        assert f"User history: {watched}; Candidate pool: {lettered}\n" in text
        assert wanted[place] == item
        places.add(place)
    assert len(places) > 2
