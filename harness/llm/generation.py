"""Text that a backbone writes: greedy or sampled, over transformers' own ``generate``.

Prompts of a batch are padded on the left and masked, so that all of them are continued in the same column.

Notation: B prompts, V vocabulary.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from harness.errors import InputError
from harness.llm.backbone import Backbone
from harness.llm.tokens import Tokens
from harness.progress import track

Allowed = Callable[[int, list[int]], Sequence[int]]
Cache = Literal["dynamic", "static", "compiled"]


def generate(
    backbone: Backbone,
    prompts: Sequence[Tokens],
    *,
    max_new_tokens: int | Sequence[int],
    noise: Sequence[np.random.Generator] | None = None,
    temperature: float = 1.0,
    top_p: float = 1.0,
    allowed: Allowed | None = None,
    cache: Cache = "dynamic",
    batch_size: int | None = None,
) -> list[list[int]]:
    """Continue each prompt until its end token, or as far as it may go.

    Args:
        backbone: writes.
        prompts: token ids of each prompt.
        max_new_tokens: the most tokens that are written, one number or one a prompt.
        noise: a fresh generator for each prompt, to sample with; None: greedy. A text depends on its own prompt and
            generator only: it is the argmax of logits over temperature plus Gumbel noise (Maddison et al. 2014), which
            is a draw from their softmax.
        temperature: of the softmax that is sampled.
        top_p: share of the probability that is sampled from, the likeliest tokens first (Holtzman et al. 2020).
        allowed: given a prompt's index and the tokens written behind it, the tokens that may follow; None: all.
        cache: of keys and values: one that grows, one of fixed length, or that with the decoding step compiled.
        batch_size: prompts written at once, those of similar length together; None: all.

    Returns:
        The tokens written behind each prompt, the end token included where there is one.

    Raises:
        InputError: a compiled step without a GPU.
    """
    if cache == "compiled" and backbone.device.type == "cpu":
        raise InputError("cache=compiled: needs a GPU; on a CPU ask for static or dynamic")
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    written: list[list[int]] = [[] for _ in prompts]
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    size = batch_size or max(1, len(prompts))
    for start in track(range(0, len(prompts), size), f"writing {len(prompts)} texts"):
        chunk = by_length[start : start + size]
        texts = _batch(
            backbone,
            [prompts[index] for index in chunk],
            [limits[index] for index in chunk],
            _Sampling([noise[index] for index in chunk], temperature, top_p) if noise else None,
            partial(_of_chunk, allowed, chunk) if allowed else None,
            cache,
        )
        for index, text in zip(chunk, texts, strict=True):
            written[index] = text
    return written


class _Sampling:
    """A logits processor whose argmax is a draw; scores of shape [B, V]."""

    def __init__(self, noise: Sequence[np.random.Generator], temperature: float, top_p: float):
        from transformers import TopPLogitsWarper

        self.noise, self.temperature, self.nucleus = noise, temperature, TopPLogitsWarper(top_p)

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        gumbel = np.stack([one.gumbel(size=scores.shape[1]) for one in self.noise])
        kept: Tensor = self.nucleus(ids, scores / self.temperature)
        return kept + torch.from_numpy(gumbel).to(kept)


class _Limits:
    """A stopping criterion: the tokens that each row may reach, padding and prompt included, shape [B]."""

    def __init__(self, lengths: Tensor):
        self.lengths = lengths

    def __call__(self, ids: Tensor, scores: Any, **options: Any) -> Tensor:
        return self.lengths <= ids.shape[1]


def _batch(
    backbone: Backbone,
    prompts: list[Tokens],
    limits: list[int],
    sampling: _Sampling | None,
    allowed: Allowed | None,
    cache: Cache,
) -> list[list[int]]:
    """What is written behind the prompts of one batch."""
    from transformers import GenerationConfig, StaticCache

    longest, end = max(map(len, prompts)), backbone.tokenizer.eos_token_id
    padding = [longest - len(prompt) for prompt in prompts]
    ids = [[0] * pad + list(prompt) for pad, prompt in zip(padding, prompts, strict=True)]
    mask = [[0] * pad + [1] * (longest - pad) for pad in padding]

    def prefix_allowed(row: int, ids: Tensor) -> Sequence[int]:
        text = ids[longest:].tolist()
        return [end] if end in text else allowed(row, text)  # type: ignore[misc]  # is only called where not None

    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=max(limits),
        do_sample=False,
        repetition_penalty=1.0,
        eos_token_id=end,
        pad_token_id=end,
        cache_implementation="dynamic" if cache == "dynamic" else None,
        disable_compile=cache != "compiled",
    )
    # generate's own static cache would be as long as the longest that the model ever had; the last token needs no place
    fixed = None if cache == "dynamic" else StaticCache(backbone.model.config, longest + max(limits) - 1)
    with torch.inference_mode():
        found = backbone.model.eval().generate(
            torch.tensor(ids, device=backbone.device),
            attention_mask=torch.tensor(mask, device=backbone.device),
            generation_config=settings,
            cache=fixed,
            logits_processor=[sampling] if sampling else None,
            stopping_criteria=[_Limits(torch.tensor(limits, device=backbone.device) + longest)],
            prefix_allowed_tokens_fn=prefix_allowed if allowed else None,
        )
    return [_until(end, text[:limit]) for text, limit in zip(found[:, longest:].tolist(), limits, strict=True)]


def _of_chunk(allowed: Allowed, chunk: list[int], row: int, text: list[int]) -> Sequence[int]:
    return allowed(chunk[row], text)


def _until(end: int, text: list[int]) -> list[int]:
    return text[: text.index(end) + 1] if end in text else text
