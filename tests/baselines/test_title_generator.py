from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from baselines.reranker import RerankerConfig
from baselines.title_generator import TitleGenerator, TitleGeneratorConfig
from harness.data.dataset import Ids
from harness.data.splits import leave_one_out
from harness.llm.losses import Example
from harness.record import FitRecord
from harness.system import Queries, find
from tests.baselines.test_llamarec import DATA, QUERIES, TINY, context


def fit(home: Path, **settings: object) -> tuple[TitleGenerator, FitRecord]:
    system = TitleGenerator(TitleGeneratorConfig.model_validate(TINY | {"validate_limit": 2} | settings))
    return system, system.fit(leave_one_out(DATA).train, context(home))


def test_its_budget_is_llamarecs() -> None:
    spec, rival = find("title-generator"), find("llamarec")
    settings = spec.config().model_dump()
    assert (settings.pop("output"), settings.pop("constrained")) == ("titles", False)
    assert settings == RerankerConfig().model_dump() == rival.config().model_dump()
    assert (spec.llm, spec.needs, spec.asks) == ("LoRA-tuned", rival.needs, ("output", "constrained"))


@pytest.mark.parametrize(("output", "ending"), [("titles", "\n"), ("letters", " >")])
def test_it_is_tuned_to_begin_the_list_with_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, ending: str
) -> None:
    seen: list[tuple[str, str, str]] = []

    def tune(llm: object, example: object, order: Ids, *rest: object, goal: float) -> FitRecord:
        for position in order.ravel().tolist():
            one: Example
            (one,) = example(position)
            prompt, answer = (system.llm.tokenizer.decode(tokens) for tokens in (one.prompt, one.answer))
            seen.append((DATA.titles[train.items[position]], prompt, answer))
        return FitRecord(notes={"first_token_loss_at_the_end_of_training": 1.0})

    train = leave_one_out(DATA).train
    monkeypatch.setattr("baselines.reranker.tune", tune)
    system = TitleGenerator(TitleGeneratorConfig.model_validate(TINY | {"output": output}))
    record = system.fit(train, context(tmp_path))
    assert record.notes["tuned_for"] == output
    assert len(seen) == 16
    for title, prompt, answer in seen:
        assert answer.endswith(ending)
        named = answer.removesuffix(ending)
        assert prompt.endswith("### Response:\n")
        assert named == title if output == "titles" else f"({named}) {title} \n" in prompt + " \n"


@pytest.mark.parametrize("output", ["titles", "letters"])
def test_a_constrained_list_ranks_every_candidate(tmp_path: Path, output: str) -> None:
    system, _ = fit(tmp_path, output=output, constrained=True)
    scores = system.score(QUERIES)
    assert scores.dtype == torch.float32
    assert [sorted(row) for row in scores.tolist()] == [[-4.0, -3.0, -2.0, -1.0]] * 2
    notes = system.notes()
    assert (notes["lists"], notes["candidates_named"], notes["lists_that_name_nothing"]) == (2, 8, 0)
    assert notes["entries_invented"] == notes["entries_repeated"] == notes["entries_unparsed"] == 0
    for row in range(2):
        one = slice(row, row + 1)
        alone = system.score(Queries(QUERIES.user[one], QUERIES.history[one], QUERIES.candidates[one]))
        assert torch.equal(alone, scores[one])


def test_what_names_no_candidate_ties_them_all(tmp_path: Path) -> None:
    system, record = fit(tmp_path)
    assert system.notes()["lists"] == 0  # those of validation are not counted
    assert system.score(QUERIES).tolist() == [[-4.0] * 4] * 2
    notes = system.notes()
    assert (notes["lists"], notes["lists_that_name_nothing"], notes["written"]) == (2, 2, "titles")
    assert notes["entries_invented"] + notes["entries_unparsed"] > 0
    assert "letters" not in record.notes


def test_what_is_written_is_what_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, _ = fit(tmp_path)

    def write(llm: object, texts: Sequence[Sequence[int]], *rest: object, **options: object) -> list[list[int]]:
        candidates = [8, 10, 8], [7]
        lines = ["\n".join(DATA.titles[item] for item in items) for items in candidates]
        return [[*system.llm.tokenizer(text)["input_ids"], 1] for text in lines]

    monkeypatch.setattr("harness.llm.ranked_list.write", write)
    assert system.score(QUERIES).tolist() == [[-4, -1, -4, -2], [-4, -4, -4, -1]]
    assert {key: value for key, value in system.notes().items() if value} == {
        "written": "titles",
        "lists": 2,
        "candidates_named": 3,
        "entries_repeated": 1,
        "tokens_written": sum(len(DATA.titles[item]) for item in (8, 10, 8, 7)) + 2 + 2,
    }


def test_restored_from_its_adapter_it_writes_the_same(tmp_path: Path) -> None:
    fitted, _ = fit(tmp_path, constrained=True)
    restored = TitleGenerator(fitted.settings)
    restored.restore({name: value.clone() for name, value in fitted.weights().items()}, context(tmp_path, seed=5))
    assert torch.equal(fitted.score(QUERIES), restored.score(QUERIES))
