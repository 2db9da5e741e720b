"""What it costs to rank candidates with a backbone, by one forward pass or by writing: time, memory, energy, floor."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from harness import latency
from harness.config import Strict
from harness.errors import InputError
from harness.latency import Loop, Measured, plain_loop
from harness.llm import ranked_list, verbalizer
from harness.llm.backbone import Backbone
from harness.llm.generation import Cache
from harness.llm.ranked_list import Output
from harness.llm.sized_prompts import SizedPrompts
from harness.llm.vllm_engine import Write
from harness.record import ModelRecord
from harness.roofline import Ceilings, Shape


@dataclass(frozen=True)
class Writing:
    """A list that is written: of what, and how.

    Attributes:
        cache: of keys and values.
        constrained: nothing but candidates may stand in it.
        served: by an engine of its own, :mod:`harness.llm.vllm_engine`, rather than by ``transformers``.
    """

    output: Output
    cache: Cache = "dynamic"
    constrained: bool = False
    served: bool = False


VERBALIZER = "verbalizer"
METHODS: dict[str, Writing | None] = {
    VERBALIZER: None,
    "titles": Writing("titles"),  # as LlamaRec times it, section 4.0.7
    "titles, static cache": Writing("titles", cache="static"),
    "titles, compiled": Writing("titles", cache="compiled"),
    "titles, constrained": Writing("titles", constrained=True),
    "letters": Writing("letters"),
    "letters, static cache": Writing("letters", cache="static"),
    "letters, compiled": Writing("letters", cache="compiled"),
    "letters, constrained": Writing("letters", constrained=True),
    "titles, vLLM": Writing("titles", served=True),
    "letters, vLLM": Writing("letters", served=True),
}
NOTHING = ranked_list.Entries([[]], [[]])  # a list that is over at its first token


class RankingCost(Strict):
    """One method at one size of prompt: what was measured, and the least that it could have taken.

    Attributes:
        method: a name of ``METHODS``.
        checkpoint: the backbone's name, or identity of the run whose adapter it carries, merged into its weights.
        model: the backbone's record.
        prompt_sha: digest of all prompts' token ids.
        prompt_tokens: mean length of a prompt, by the backbone's own tokenizer, as all tokens here.
        title_tokens: mean length of a title.
        history: items that each prompt names.
        candidates: items of each to rank.
        batch: prompts ranked at once.
        tokens: mean number of tokens written behind a prompt; 0 for the verbalizer.
        whole: the ranking of the batch.
        prefill: the same stopped at its first token; None where nothing is written.
        flops: least arithmetic of the whole.
        bytes: least memory traffic of the whole.
        ceilings: of the machine, in the backbone's dtype.
        prefill_floor_ms: least time of the prompts' forward pass.
        decode_floor_ms: least time of the steps behind it; 0 where there are none.
        linear_weights: of all layers' linear maps, through which every token goes; None where that was not kept.
    """

    method: str
    checkpoint: str
    model: ModelRecord
    prompt_sha: str
    prompt_tokens: float
    title_tokens: float
    history: int
    candidates: int
    batch: int
    tokens: float
    whole: Measured
    prefill: Measured | None
    flops: float
    bytes: float
    ceilings: Ceilings
    prefill_floor_ms: float
    decode_floor_ms: float
    linear_weights: int | None = None

    @property
    def bare(self) -> bool:
        """Whether the backbone carries no adapter."""
        return self.checkpoint == self.model.name

    @property
    def p50_ms(self) -> float:
        """Median time of the whole."""
        return self.whole.p50_ms

    @property
    def prefill_ms(self) -> float:
        """Median time until the first token, or of all where nothing is written."""
        return self.prefill.p50_ms if self.prefill else self.p50_ms

    @property
    def floor_ms(self) -> float:
        """The least time that the whole could have taken on this machine."""
        return self.prefill_floor_ms + self.decode_floor_ms

    @property
    def requests_per_s(self) -> float:
        """Prompts ranked in a second."""
        return 1e3 * self.batch / self.p50_ms

    @property
    def energy_of_1000_requests_j(self) -> float | None:
        """Joules of the GPU for ranking 1,000 prompts; None where they cannot be read."""
        return None if self.whole.energy_j is None else 1e3 * self.whole.energy_j / self.batch

    def row(self) -> dict[str, str | int | float | None]:
        """The row of a table."""
        return {
            "method": self.method,
            "checkpoint": self.checkpoint,
            "backbone": self.model.name,
            "dtype": self.model.dtype,
            "quantisation": self.model.quantisation,
            "prompt_sha": self.prompt_sha,
            "prompt_tokens": self.prompt_tokens,
            "title_tokens": self.title_tokens,
            "history": self.history,
            "candidates": self.candidates,
            "batch": self.batch,
            "n": len(self.whole.timings_ms),
            "p50_ms": self.whole.percentile_ms(50),
            "p90_ms": self.whole.percentile_ms(90),
            "p99_ms": self.whole.percentile_ms(99),
            "prefill_ms": self.prefill_ms,
            "decode_ms": self.p50_ms - self.prefill_ms,
            "tokens": self.tokens,
            "requests_per_s": self.requests_per_s,
            "energy_j": self.whole.energy_j,
            "peak_bytes": self.whole.peak_bytes,
            "flops": self.flops,
            "bytes": self.bytes,
            "flops_per_s_ceiling": self.ceilings.flops_per_s,
            "bytes_per_s_ceiling": self.ceilings.bytes_per_s,
            "floor_ms": self.floor_ms,
            "measured_over_floor": self.p50_ms / self.floor_ms,
            "busy": self.whole.busy,
        }


def measure(
    backbone: Backbone,
    method: str,
    asked: SizedPrompts,
    ceilings: Ceilings,
    repeats: int,
    *,
    checkpoint: str | None = None,
    engine: Write | None = None,
    loop: Loop = plain_loop,
) -> RankingCost:
    """Rank a batch of prompts again and again.

    Args:
        backbone: ranks.
        method: a name of ``METHODS``.
        asked: the batch.
        ceilings: of the machine, measured in this process.
        repeats: how many timings.
        checkpoint: the run whose adapter the backbone carries; None: it carries none.
        engine: what writes the lists of a method that is served; its memory is its own, and is not read.
        loop: see :func:`harness.latency.measure`.

    Raises:
        InputError: a compiled cache without a GPU, or a served method without an engine.
    """
    writing, device = METHODS[method], backbone.device
    shape = Shape.of(backbone.model.config, getattr(torch, backbone.record.dtype), backbone.record.quantisation)
    lengths = [len(prompt) for prompt in asked.tokens]
    written, prefill = [0] * len(lengths), None
    if writing is None:
        whole = latency.measure(lambda: verbalize(backbone, asked), device, repeats, loop)
        first, steps = shape.prefill(lengths, len(asked.labels)), []
    else:
        write, offered = writer(backbone, writing, engine), entries(backbone, writing, asked)

        def whole_list() -> None:
            nonlocal written
            written = [len(tokens) for tokens in write(asked.tokens, offered)]

        def first_token() -> None:
            write(asked.tokens, [NOTHING] * len(lengths))

        prefill = latency.measure(first_token, device, repeats)
        if compiled := writing.cache == "compiled":  # for a list of this length
            torch.compiler.reset()  # or a limit of recompilations is reached
        whole = latency.measure(whole_list, device, repeats, loop, warm_up=None if compiled else first_token)
        if writing.served:
            whole, prefill = (each.model_copy(update={"peak_bytes": None}) for each in (whole, prefill))
        first, steps = shape.prefill(lengths, shape.vocabulary, cached=True), shape.decode(lengths, written)
    return RankingCost(
        method=method,
        checkpoint=checkpoint or backbone.record.name,
        model=backbone.record,
        prompt_sha=asked.sha256,
        prompt_tokens=float(np.mean(lengths)),
        title_tokens=asked.title_tokens,
        history=asked.history,
        candidates=len(asked.labels),
        batch=len(lengths),
        tokens=float(np.mean(written)),
        whole=whole,
        prefill=prefill,
        flops=first.flops + sum(step.flops for step in steps),
        bytes=first.bytes + sum(step.bytes for step in steps),
        ceilings=ceilings,
        prefill_floor_ms=ceilings.floor_ms(first),
        decode_floor_ms=sum(map(ceilings.floor_ms, steps)),
        linear_weights=shape.linear_weights,
    )


def verbalize(backbone: Backbone, asked: SizedPrompts) -> list[list[float]]:
    """Scores of the candidates of all prompts, in one forward pass, on the host."""
    scores: list[list[float]] = verbalizer.score(
        backbone, asked.tokens, asked.labels.tokens, len(asked.tokens)
    ).tolist()
    return scores


def entries(backbone: Backbone, writing: Writing, asked: SizedPrompts) -> list[ranked_list.Entries]:
    """What each prompt's list is to be of."""
    texts = asked.titles if writing.output == "titles" else [list(asked.labels.texts)] * len(asked.titles)
    return [ranked_list.entries(backbone.tokenizer, asked.empty, row, writing.output) for row in texts]


def writer(backbone: Backbone, writing: Writing, engine: Write | None) -> Write:
    """What writes the lists of a batch of prompts, at once.

    Raises:
        InputError: a served method without an engine.
    """
    if not writing.served:
        return partial(ranked_list.write, backbone, constrained=writing.constrained, cache=writing.cache)
    if engine is None:
        raise InputError("a served method needs an engine: harness.llm.vllm_engine.engine makes one, on CUDA")
    return engine
