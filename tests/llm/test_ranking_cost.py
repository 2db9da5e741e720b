import pytest
import torch

from harness.errors import InputError
from harness.latency import Measured
from harness.llm import generation, prompts, ranking_cost, verbalizer
from harness.llm.backbone import Backbone
from harness.llm.ranked_list import Entries
from harness.llm.ranking_cost import METHODS, VERBALIZER, RankingCost
from harness.llm.sized_prompts import SizedPrompts, sized_prompts
from harness.roofline import Ceilings, Shape

WORDING = prompts.load("llamarec")
TITLES = ["Heat (1995)", "Alien (1979)", "M (1931)", "The Third Man (1949)"]
KEYS = (
    "method checkpoint prompt_sha title_tokens batch n p50_ms p90_ms p99_ms tokens energy_j peak_bytes floor_ms".split()
)
MACHINE = Ceilings(flops_per_s=1e9, bytes_per_s=1e9)
ON_CPU = [name for name, how in METHODS.items() if how is None or not (how.served or how.cache == "compiled")]


@pytest.fixture
def asked(tiny: Backbone) -> SizedPrompts:
    return sized_prompts(tiny, WORDING, TITLES, title_tokens=6, batch=2, history=2, candidates=3)


@pytest.mark.parametrize("method", ON_CPU)
def test_every_method_gives_a_row_that_can_be_kept(tiny: Backbone, asked: SizedPrompts, method: str) -> None:
    cost = ranking_cost.measure(tiny, method, asked, MACHINE, repeats=2)
    row = cost.row()
    assert set(KEYS) <= row.keys()
    assert (row["method"], row["checkpoint"], row["batch"], row["n"]) == (method, "tiny", 2, 2)
    assert (row["p90_ms"], row["p99_ms"], row["energy_j"]) == (None, None, None)
    assert RankingCost.model_validate_json(cost.model_dump_json()) == cost
    assert (cost.tokens == 0) is (cost.prefill is None) is (method == VERBALIZER)


def test_the_floor_is_that_of_the_tokens_that_were_written(
    tiny: Backbone, asked: SizedPrompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking_cost, "writer", lambda *args: lambda prompts, offered: [[5] * 4, [5] * 2])
    cost = ranking_cost.measure(tiny, "titles", asked, MACHINE, repeats=1)
    shape, lengths = Shape.of(tiny.model.config, torch.float32), [len(prompt) for prompt in asked.tokens]
    works = [shape.prefill(lengths, 258, cached=True), *shape.decode(lengths, [4, 2])]
    assert len(works) == 4
    assert cost.tokens == 3
    assert cost.floor_ms == pytest.approx(sum(map(MACHINE.floor_ms, works)))
    assert (cost.flops, cost.bytes) == (sum(work.flops for work in works), sum(work.bytes for work in works))


def test_the_verbalizer_s_floor_has_no_more_of_the_head_than_the_candidates_rows(
    tiny: Backbone, asked: SizedPrompts
) -> None:
    cost = ranking_cost.measure(tiny, VERBALIZER, asked, MACHINE, repeats=1)
    work = Shape.of(tiny.model.config, torch.float32).prefill([len(prompt) for prompt in asked.tokens], 3)
    assert cost.floor_ms == MACHINE.floor_ms(work)


def test_a_row_by_hand(tiny: Backbone, asked: SizedPrompts) -> None:
    cost = ranking_cost.measure(tiny, "letters", asked, MACHINE, repeats=1).model_copy(
        update={
            "whole": Measured(timings_ms=(30.0, 10.0, 20.0), energy_j=4.0),
            "prefill": Measured(timings_ms=(5.0,)),
            "prefill_floor_ms": 3.0,
            "decode_floor_ms": 1.0,
        }
    )
    row = cost.row()
    assert (row["p50_ms"], row["prefill_ms"], row["decode_ms"]) == (20, 5, 15)
    assert (row["floor_ms"], row["measured_over_floor"], row["requests_per_s"]) == (4, 5, 100)
    assert row["energy_j"] == 4


def test_the_methods_rank_by_what_they_say(tiny: Backbone, asked: SizedPrompts) -> None:
    scores = verbalizer.score(tiny, asked.tokens, asked.labels.tokens, 1)
    assert torch.tensor(ranking_cost.verbalize(tiny, asked)) == pytest.approx(scores, abs=1e-4)
    held = METHODS["titles, constrained"]
    assert held is not None
    lists = ranking_cost.writer(tiny, held, None)(asked.tokens, ranking_cost.entries(tiny, held, asked))
    for written, titles in zip(lists, asked.titles, strict=True):
        text = tiny.tokenizer.decode(written, skip_special_tokens=True)
        assert sorted(line.strip() for line in text.split("\n")) == sorted({" ".join(t.split()) for t in titles})


def test_a_prefill_is_stopped_at_its_first_token(tiny: Backbone, asked: SizedPrompts) -> None:
    free = METHODS["titles"]
    assert free is not None
    write, offered = ranking_cost.writer(tiny, free, None), ranking_cost.entries(tiny, free, asked)
    first = write(asked.tokens, [ranking_cost.NOTHING] * 2)
    assert first == [tokens[:1] for tokens in write(asked.tokens, offered)]


def test_an_engine_of_its_own_is_asked_and_its_memory_not_read(tiny: Backbone, asked: SizedPrompts) -> None:
    with pytest.raises(InputError, match="needs an engine"):
        ranking_cost.measure(tiny, "letters, vLLM", asked, MACHINE, repeats=1)
    limits: list[list[int]] = []

    def engine(prompts: object, offered: list[Entries]) -> list[list[int]]:
        limits.append([each.joint_length() for each in offered])
        return [[5, 6, 7] for _ in offered]

    cost = ranking_cost.measure(tiny, "letters, vLLM", asked, MACHINE, repeats=2, engine=engine)
    assert (cost.tokens, cost.whole.peak_bytes) == (3, None)
    whole = len("A > B > C") + 1
    # the prefill warmed up, its memory read, timed twice; it warms up for the whole, whose memory is read, timed twice
    assert limits == [[1] * 2] * 5 + [[whole] * 2] * 3


def test_a_compiled_step_needs_a_gpu(tiny: Backbone, asked: SizedPrompts) -> None:
    with pytest.raises(InputError, match="compiled: needs a GPU"):
        ranking_cost.measure(tiny, "titles, compiled", asked, MACHINE, repeats=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_compiled_step_writes_what_any_other_does(home: object) -> None:
    from harness.llm import backbone

    llm = backbone.load("tiny", home, torch.device("cuda"), dtype="float32")  # type: ignore[arg-type]
    found = [
        generation.generate(llm, [list(range(2, 60))], max_new_tokens=12, cache=cache)
        for cache in ("dynamic", "compiled")
    ]
    assert found[0] == found[1]
