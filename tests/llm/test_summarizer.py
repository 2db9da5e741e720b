"""Summaries do not hang on the batch, the cache, or a kill; both forms share their first level."""

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import InputError
from harness.home import Home
from harness.llm import item_text, summarizer, summary_cache, wording
from harness.llm.backbone import Backbone
from harness.llm.generation import generate
from harness.llm.summarizer import Form, Summarizer, SummarizerConfig
from harness.llm.summary import History
from harness.llm.summary_cache import Batch
from harness.llm.weights import share
from harness.llm.wording import Wording
from harness.outcomes import Outcomes
from harness.seeds import rng
from harness.system import Context, Scorer
from tests.killed import python
from tests.worlds import dataset

ITEMS = 30
TINY = SummarizerConfig(
    summarizer="tiny", summarizer_quantisation="none", summarizer_dtype="float32", summary_tokens=6, summary_batch=3
)


def world(home: Home, seed: int = 1) -> Context:
    genres = tuple("" if item == 0 else "War|Drama" if item % 2 else "Comedy" for item in range(ITEMS + 1))
    data = replace(dataset([list(range(1, ITEMS + 1))]), fields={"genres": genres})

    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        raise AssertionError("nothing is validated here")

    return Context(data, seed, torch.device("cpu"), 25, home.root / "work", validate, home, lambda line: None)


def histories(users: int = 5) -> list[History]:
    generator = rng(1, "histories")
    lengths = [3, 13, 7, 25, 30, 11, 6][:users]
    return [
        History(user, tuple((generator.permutation(ITEMS)[:length] + 1).tolist()))
        for user, length in enumerate(lengths, start=1)
    ]


def build(home: Home, form: Form = "hierarchical", seed: int = 1, **settings: object) -> Summarizer:
    context, words = world(home, seed), wording.load(Wording, "trsr_movies", "any")
    changed = TINY.model_copy(update=settings)
    made = Summarizer(changed, form, words, item_text.ItemTexts((), (), 0), context)
    made.texts = item_text.item_texts(context.dataset, words.fields, words.shed, made.llm.tokenizer, 512)
    return made


def written(home: Home, form: Form = "hierarchical", seed: int = 1, **settings: object) -> dict[History, str]:
    made = build(home, form, seed, **settings)
    made.write(histories())
    return made.written


@pytest.fixture
def fresh(home: Home, tmp_path: Path) -> Home:
    """A home with the backbones and without summaries."""
    return share(home, tmp_path / "fresh")


def test_blocks_of_five_oldest_first_of_the_last_25(home: Home) -> None:
    blocks = [build(home).blocks(history) for history in histories()]
    assert [[len(block) for block in own] for own in blocks] == [[3], [5, 5, 3], [5, 2], [5] * 5, [5] * 5]
    assert [item for block in blocks[1] for item in block] == list(histories()[1].items)
    assert [item for block in blocks[4] for item in block] == list(histories()[4].items[-25:])


@pytest.mark.parametrize("form", ["hierarchical", "recurrent"])
def test_equal_across_batch_sizes(home: Home, tmp_path: Path, form: Form) -> None:
    one = written(share(home, tmp_path / "one"), form, summary_batch=1)
    assert one == written(share(home, tmp_path / "five"), form, summary_batch=5)
    assert len(set(one.values())) == 5
    other = written(share(home, tmp_path / "one"), form, seed=2, summary_batch=1)  # with the first seed's in the cache
    assert all(one[history] != other[history] for history in one)


def prompts_of(made: Summarizer, monkeypatch: pytest.MonkeyPatch, texts: Sequence[str]) -> tuple[History, list[str]]:
    """A history of three blocks, and what a model is asked about it that writes these texts one after the other."""
    asked: list[str] = []

    def scripted(llm: Backbone, prompts: list[list[int]], **options: object) -> list[list[int]]:
        (prompt,) = prompts
        asked.append(llm.tokenizer.decode(prompt))
        return [llm.tokenizer(texts[len(asked) - 1])["input_ids"]]

    monkeypatch.setattr(summarizer, "generate", scripted)
    (history,) = histories(2)[1:]
    made.write([history])
    return history, asked


def items_of(made: Summarizer, block: Sequence[int]) -> str:
    return "\n".join(made.texts.full[item] for item in block)


def test_hierarchical_summarises_blocks_then_their_summaries(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build(fresh)
    history, (*blocks, overall) = prompts_of(made, monkeypatch, ["war", "", "comedy", "both"])
    assert blocks == [made.wording.summarize.format(items=items_of(made, block)) for block in made.blocks(history)]
    assert overall == made.wording.combine.format(summaries=f"war\n{made.wording.nothing}\ncomedy")
    assert made.written == {history: "both"}


def test_recurrent_updates_the_summary_block_by_block(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build(fresh, "recurrent")
    history, (first, *updates) = prompts_of(made, monkeypatch, ["war", "", "comedy"])
    block, *further = made.blocks(history)
    assert first == made.wording.summarize.format(items=items_of(made, block))
    assert updates == [made.wording.update.format(summary="war", items=items_of(made, own)) for own in further]
    assert made.written == {history: "comedy"}  # what was empty changed nothing


def test_both_forms_share_their_first_level(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchical = build(fresh)
    hierarchical.write(histories())
    recurrent = build(fresh, "recurrent")
    asked = []

    def recorded(llm: Backbone, prompts: list[list[int]], **options: object) -> list[list[int]]:
        asked.extend(llm.tokenizer.decode(prompt) for prompt in prompts)
        return generate(llm, prompts, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(summarizer, "generate", recorded)
    recurrent.write(histories())
    assert asked
    assert all(prompt.startswith(recurrent.wording.update.partition("{")[0]) for prompt in asked)
    single = histories()[0]
    assert recurrent.written[single] == hierarchical.written[single]
    again = build(fresh, "recurrent")
    asked.clear()
    again.write(histories())
    assert (again.written, again.notes(), asked) == (recurrent.written, recurrent.notes(), [])


@pytest.mark.parametrize("damage", [b"", b'{"texts": ["a"', b"[]", b"null"])
def test_a_damaged_batch_is_written_again(fresh: Home, damage: bytes) -> None:
    whole = written(fresh)
    for file in (fresh.cache / summary_cache.FOLDER).rglob("*.json"):
        file.write_bytes(damage)
    assert written(fresh) == whole


def test_two_processes_that_write_one_batch_do_not_take_each_others_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, one, two = tmp_path / "batch.json", Batch(["one"], 1, 1, 0.5), Batch(["two"], 1, 1, 0.25)
    replace_file, others = Path.replace, [two]

    def after_another(self: Path, target: Path) -> Path:
        if others:
            summary_cache.save(target, others.pop())
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", after_another)
    summary_cache.save(file, one)
    assert (summary_cache.load(file, 1), list(tmp_path.iterdir())) == (one, [file])


def test_a_kill_loses_at_most_the_batch_at_hand(home: Home, tmp_path: Path) -> None:
    whole = written(share(home, tmp_path / "whole"), summary_batch=1)
    killed = share(home, tmp_path / "killed")
    folder = killed.cache / summary_cache.FOLDER
    program = (
        "from pathlib import Path; from harness.home import Home; from tests.killed import die_at; "
        "from tests.llm.test_summarizer import written; die_at('harness.llm.summary_cache:save', 3); "
        f"written(Home(Path({str(killed.root)!r})), summary_batch=1)"
    )
    done = python(program)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = {file: file.stat().st_mtime_ns for file in folder.rglob("*.json")}
    assert len(kept) == 2
    assert written(killed, summary_batch=1) == whole
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_an_empty_summary_has_a_defined_answer(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    end = 1
    monkeypatch.setattr(summarizer, "generate", lambda llm, prompts, **options: [[end] for _ in prompts])
    made = build(fresh)
    made.write(histories(2))
    assert set(made.written.values()) == {""}
    recurrent = build(fresh, "recurrent")
    recurrent.write(histories(2))
    assert set(recurrent.written.values()) == {""}


def test_a_summary_ends_where_the_model_goes_on_to_the_next_turn(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build(fresh)
    text = made.llm.tokenizer(" Likes war.\n### User: more")["input_ids"]
    monkeypatch.setattr(summarizer, "generate", lambda llm, prompts, **options: [text for _ in prompts])
    made.write(histories(1))
    assert list(made.written.values()) == ["Likes war."]


def test_a_history_without_any_text_is_not_asked_about(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build(fresh)
    made.texts = item_text.ItemTexts(("",) * (ITEMS + 1), ("",) * (ITEMS + 1), 0)
    monkeypatch.setattr(summarizer, "generate", None)
    made.write(histories())
    assert set(made.written.values()) == {""}


def test_a_prompt_too_long_is_cut_and_counted(fresh: Home) -> None:
    made = build(fresh, summarizer_context=500)
    made.write(histories(2))
    assert made.notes()["summary_prompts_cut"] > 0
    with pytest.raises(InputError, match="and 0 fit; raise summarizer_context or lower summary_tokens"):
        build(fresh, summarizer_context=3).write(histories(2))


@pytest.mark.parametrize("form", ["hierarchical", "recurrent"])
def test_more_blocks_than_a_history_has_are_not_looked_for(
    fresh: Home, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    made, steps = build(fresh, form, blocks=10**12), []

    def step(self: Summarizer, name: str, asked: dict[History, list[int]]) -> dict[History, str]:
        steps.append(name)
        assert len(steps) < 10
        return dict.fromkeys(asked, "text")

    monkeypatch.setattr(Summarizer, "_step", step)
    made.write(histories())
    assert len(steps) == (7 if form == "hierarchical" else 6)  # 30 items at most, five a block


def test_without_an_llm(fresh: Home) -> None:
    nothing = build(fresh, summarizer="tiny")
    for name, expected in (
        ("none", ""),
        ("frequent", "Most frequent genres: War, Drama, Comedy. Most frequent words: title."),
    ):
        made = Summarizer(
            TINY.model_copy(update={"summarizer": name}), "recurrent", nothing.wording, nothing.texts, nothing.context
        )
        history = History(1, (1, 3, 2))
        made.write([history])
        assert made.written == {history: expected}
        assert made.notes()["summary_tokens_read_per_history"] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 0.2},
        {"top_p": 0.5},
        {"summary_tokens": 5},
        {"summarizer_dtype": "bfloat16"},
        {"seed": 2},
    ],
)
def test_a_batch_of_other_settings_is_not_taken_from_the_cache(
    fresh: Home, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    written(fresh)
    asked: list[int] = []

    def counted(*args: Any, **options: Any) -> list[list[int]]:
        asked.append(1)
        return generate(*args, **options)

    monkeypatch.setattr(summarizer, "generate", counted)
    written(fresh)
    assert asked == []
    written(fresh, **changed)
    assert asked
