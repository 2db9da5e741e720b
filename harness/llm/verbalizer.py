"""Scores of labelled candidates: the logits of their labels where the answer begins (LlamaRec, section 3.2.3).

Sequences of a batch are padded on the right. Attention is causal, so that no token sees the padding behind it:
neither an attention mask nor shifted positions are needed.

Notation: B sequences, T tokens of the longest one, D width of the model, C candidates.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.llm.backbone import Backbone
from harness.llm.tokens import Tokens
from harness.progress import track


def hidden_states(model: Any, sequences: Sequence[Tokens]) -> Tensor:
    """Last hidden states of the sequences, padded on the right: shape [B, T, D]."""
    longest = max(map(len, sequences))
    ids = torch.tensor([[*tokens, *[0] * (longest - len(tokens))] for tokens in sequences], device=model.device)
    states: Tensor = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    return states


def row_logits(model: Any, states: Tensor, rows: Sequence[int]) -> Tensor:
    """Logits of some rows of the head only, in float32, whatever dtype the model computes in.

    Args:
        model: a causal LM with a linear head.
        states: last hidden states, shape [B, D].
        rows: C token ids.

    Returns:
        Shape [B, C].
    """
    head = model.get_output_embeddings()
    logits: Tensor = states.float() @ head.weight[list(rows)].float().T
    if head.bias is not None:
        logits = logits + head.bias[list(rows)].float()
    return logits


def score(backbone: Backbone, prompts: Sequence[Tokens], labels: Sequence[int], batch_size: int) -> Tensor:
    """Scores of the candidates of each prompt, in one forward pass, prompts of similar length together.

    Args:
        backbone: computes the hidden states.
        prompts: token ids of each prompt.
        labels: token ids of the candidates' labels.
        batch_size: prompts a forward pass.

    Returns:
        Shape [prompt, candidate], float32.
    """
    model = backbone.model.eval()
    scores = torch.empty((len(prompts), len(labels)), device=model.device)
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    with torch.inference_mode():
        for start in track(range(0, len(prompts), batch_size), f"scoring {len(prompts)} prompts"):
            chunk = by_length[start : start + batch_size]
            states = hidden_states(model, [prompts[index] for index in chunk])
            last = torch.tensor([len(prompts[index]) - 1 for index in chunk], device=model.device)
            answers = states[torch.arange(len(chunk), device=model.device), last]
            scores[chunk] = row_logits(model, answers, labels)
    return scores
