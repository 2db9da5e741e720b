"""Scores of candidates that are asked about one by one: whether the answer begins with yes or with no.

A case's prompts differ only in the candidate at their end, so they go through the model together (``prefix``).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError
from harness.llm import prefix
from harness.llm.backbone import Backbone
from harness.llm.verbalizer import Tokens, row_logits
from harness.progress import track


def first_tokens(tokenizer: Any, prompt: str, answers: Sequence[str]) -> list[int]:
    """The first token of each answer right behind ``prompt``, found by tokenising the prompt with and without it.

    Raises:
        InputError: an answer melts into the prompt, or two begin with the same token.
    """
    before = tokenizer(prompt)["input_ids"]
    found = []
    for answer in answers:
        after = tokenizer(prompt + answer)["input_ids"]
        if after[: len(before)] != before or len(after) == len(before) or after[len(before)] in found:
            raise InputError(
                f"backbone {tokenizer.name_or_path}: the answer {answer!r} behind {prompt[-20:]!r} has no first token "
                "of its own; the answers of a question must differ in their first token"
            )
        found.append(after[len(before)])
    return found


def score(backbone: Backbone, cases: Sequence[Sequence[Tokens]], answers: Sequence[int]) -> list[Tensor]:
    """How much likelier yes is than no, for every candidate of every case; one forward pass a case.

    The log-odds of the softmax over the two answers' logits (LLM-TRSR, section 3.4; TALLRec, section 4.1): the same
    order without the ties that rounding to 1 makes. In float32, whatever dtype the model computes in.

    Args:
        backbone: its model has been given :func:`harness.llm.prefix.use`.
        cases: the prompts' token ids, one prompt a candidate.
        answers: first tokens of yes and no.

    Returns:
        For each case shape [candidate].
    """
    model = backbone.model.eval()
    scores = []
    with torch.inference_mode():
        for prompts in track(cases, f"scoring {len(cases)} cases"):
            form = prefix.layout(prompts)
            states = prefix.states(model, prompts, form)
            last = [form.column(text, len(prompt) - 1) for text, prompt in enumerate(prompts)]
            yes, no = row_logits(model, states[last], answers).unbind(1)
            scores.append(yes - no)
    return scores
