"""Causal attention in blocks of queries: on a CPU in bfloat16 a fraction of the time of torch's own kernel.

Notation: B sequences, H heads, G key and value heads that H / G heads share, T tokens, D width of a head.
"""

from typing import Any

import torch
from torch import Tensor

NAME = "harness_blocks"
BLOCK = 128  # queries whose scores are worked out at once; a few hundred KB of bfloat16 stay in a CPU's cache


def causal(query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
    """Softmax attention of every token to itself and all before it; nothing is computed for blocks behind it.

    Args:
        query: shape [B, H, T, D].
        key: shape [B, G, T, D].
        value: shape [B, G, T, D].
        scaling: factor of the dot products.

    Returns:
        Shape [B, H, T, D].
    """
    batch, heads, time, _ = query.shape
    shared = heads // key.shape[1]
    query = query.reshape(-1, shared, time, query.shape[-1])  # [B G, H / G, T, D]
    key, value = key.flatten(0, 1).transpose(1, 2), value.flatten(0, 1)
    blocks = []
    for start in range(0, time, BLOCK):
        stop = min(start + BLOCK, time)
        future = query.new_full((stop - start, stop), -torch.inf).triu(start + 1).repeat(shared, 1)
        scores = torch.baddbmm(future, query[:, :, start:stop].flatten(1, 2), key[..., :stop], alpha=scaling)
        attended = torch.bmm(scores.softmax(-1), value[:, :stop])
        blocks.append(attended.view(-1, shared, stop - start, attended.shape[-1]))
    return torch.cat(blocks, 2).view(batch, heads, time, -1)


def use_blocks(model: Any) -> None:
    """Let a ``transformers`` model on the CPU attend by :func:`causal` where it would call torch's kernel unmasked."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attend(
        module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
    ) -> tuple[Tensor, None]:
        if attention_mask is not None or options.get("dropout") or key.shape[2] != query.shape[2]:
            attended: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
            return attended
        return causal(query, key, value, options["scaling"]).transpose(1, 2).contiguous(), None

    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, attend)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        model.set_attn_implementation(NAME)
