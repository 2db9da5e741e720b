"""Scores of candidates that are asked about one by one: whether the answer begins with yes or with no.

A case's prompts differ only in the candidate at their end, so they go through the model together (``prefix``).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError
from harness.llm import prefix
from harness.llm.tokens import Tokens, behind
from harness.llm.verbalizer import row_logits


def answer_tokens(tokenizer: Any, prompt: str, answers: Sequence[str]) -> list[Tokens]:
    """The tokens of each answer right behind ``prompt``.

    Raises:
        InputError: an answer melts into the prompt, or two begin with the same token.
    """
    found: list[Tokens] = [behind(tokenizer, prompt, answer) for answer in answers]
    if len({tokens[0] for tokens in found if tokens}) < len(answers):
        raise InputError(
            f"backbone {tokenizer.name_or_path}: the answers {', '.join(answers)} behind {prompt[-20:]!r} do not "
            "differ in their first token; those of a question must"
        )
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
