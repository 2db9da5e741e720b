"""Scores of candidates that are asked about one by one: whether the answer begins with yes or with no.

A case's prompts differ only in the candidate at their end, so they go through the model together (``prefix``).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError
from harness.llm import prefix
from harness.llm.verbalizer import Tokens, row_logits


def answer_tokens(tokenizer: Any, prompt: str, answers: Sequence[str]) -> list[Tokens]:
    """The tokens of each answer right behind ``prompt``, found by tokenising the prompt with and without it.

    Raises:
        InputError: an answer melts into the prompt, or two begin with the same token.
    """
    before = tokenizer(prompt)["input_ids"]
    found: list[Tokens] = []
    for answer in answers:
        after = tokenizer(prompt + answer)["input_ids"]
        own = after[len(before) :]
        if after[: len(before)] != before or not own or own[0] in [other[0] for other in found]:
            raise InputError(
                f"backbone {tokenizer.name_or_path}: the answer {answer!r} behind {prompt[-20:]!r} has no first token "
                "of its own; the answers of a question must differ in their first token"
            )
        found.append(own)
    return found


def score(model: Any, prompts: Sequence[Tokens], answers: Sequence[int]) -> Tensor:
    """How much likelier yes is than no, for every candidate of a case, in one forward pass.

    The log-odds of the softmax over the two answers' logits (LLM-TRSR, section 3.4; TALLRec, section 4.1): the same
    order without the ties that rounding to 1 makes. In float32, whatever dtype the model computes in.

    Args:
        model: has been given :func:`harness.llm.prefix.use`.
        prompts: the case's prompts, one a candidate.
        answers: first tokens of yes and no.

    Returns:
        Shape [candidate].
    """
    form = prefix.layout(prompts)
    with torch.inference_mode():
        states = prefix.states(model.eval(), prompts, form)
        last = [form.column(text, len(prompt) - 1) for text, prompt in enumerate(prompts)]
        yes, no = row_logits(model, states[last], answers).unbind(1)
    return yes - no
