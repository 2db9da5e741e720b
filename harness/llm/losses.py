"""What tuning minimises: the cross-entropy of the last tokens of prompt and answer, never holding all their logits.

Notation: B examples, T tokens of the longest one, N tokens that are learnt, D width, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from harness.llm import prefix
from harness.llm.tokens import Tokens
from harness.llm.verbalizer import hidden_states

LossOn = Literal["answer", "prompt"]
CHUNK = 2**22  # logits held at once; 16 MB in float32


@dataclass(frozen=True)
class Example:
    """Token ids of a prompt and of the answer that follows it."""

    prompt: Tokens
    answer: Tokens

    def learnt(self, loss_on: LossOn) -> int:
        """How many tokens at the end are learnt: the answer's, or all but the very first, which follows nothing."""
        return len(self.answer) + (len(self.prompt) - 1 if loss_on == "prompt" else 0)


TokenLosses = Callable[[Any, Sequence[Example], LossOn], Tensor]


def token_losses(model: Any, examples: Sequence[Example], loss_on: LossOn = "answer") -> Tensor:
    """Cross-entropy of every token that is learnt, given all before it: shape [N].

    The tokens follow one another in the order of the examples; an example's answer is the last of it.
    """
    texts = [[*one.prompt, *one.answer] for one in examples]
    states = hidden_states(model, [text[:-1] for text in texts])  # [B, T, D]
    rows, columns, targets = zip(*_learnt(examples, loss_on), strict=True)
    wanted = torch.tensor(targets, device=states.device)
    return cross_entropy(model.get_output_embeddings(), states[list(rows), list(columns)], wanted)


def shared_token_losses(model: Any, examples: Sequence[Example], loss_on: LossOn = "answer") -> Tensor:
    """The losses of :func:`token_losses`, the beginning that all examples share computed only once: shape [N].

    The model has been given :func:`harness.llm.prefix.use`.
    """
    texts = [[*one.prompt, *one.answer][:-1] for one in examples]
    form = prefix.layout(texts)
    states = prefix.states(model, texts, form)  # [T of the row, D]
    wanted = [(form.column(row, column), target) for row, column, target in _learnt(examples, loss_on)]
    once = {pair: place for place, pair in enumerate(dict.fromkeys(wanted))}
    columns, targets = zip(*once, strict=True)
    losses = cross_entropy(
        model.get_output_embeddings(), states[list(columns)], torch.tensor(targets, device=states.device)
    )
    return losses[[once[pair] for pair in wanted]]


def _learnt(examples: Sequence[Example], loss_on: LossOn) -> Iterator[tuple[int, int, int]]:
    """For each token that is learnt: its example, the position of the token before it, and the token."""
    for row, one in enumerate(examples):
        text = [*one.prompt, *one.answer]
        for column in range(len(text) - 1 - one.learnt(loss_on), len(text) - 1):
            yield row, column, text[column + 1]


def cross_entropy(head: nn.Linear, states: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each target in float32; the logits exist chunk by chunk, and again in the backward pass.

    Args:
        head: from states to logits over V tokens.
        states: shape [N, D].
        targets: token ids, shape [N].

    Returns:
        Shape [N].
    """

    def chunk(states: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(head(states).float(), targets, reduction="none")

    size = max(1, CHUNK // head.out_features)
    parts = zip(torch.split(states, size), torch.split(targets, size), strict=True)
    losses = [checkpoint(chunk, *part, use_reentrant=False, preserve_rng_state=False) for part in parts]
    return torch.cat(losses)
