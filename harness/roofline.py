"""The least time that a language model's work can take on this machine: its arithmetic and its memory traffic.

The roofline of Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model for Multicore
Architectures", CACM 52(4), 2009: time >= max(FLOPs / peak FLOP/s, bytes / peak bytes/s). Both peaks are measured in
this process, on a large matrix product and a large copy. What is counted is what any implementation of a forward pass
of a Llama must do: no padding, the triangle of causal attention rather than its square, only those rows of the head
whose logits are asked for. Norms, softmax, activations and rotations are left out of the FLOPs: a few in a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from harness import latency
from harness.config import Strict

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # Dettmers et al. 2023, section 3: 4 bits, and doubly quantised scales
QUANTISED_BYTES = {"nf4": NF4_BYTES, "int8": 1.0}  # int8's scales are one a row: next to nothing
TRIES = 5  # of which the best is the ceiling


@dataclass(frozen=True)
class Work:
    """FLOPs to do and bytes to move between the processor and its memory."""

    flops: float
    bytes: float


class Ceilings(Strict):
    """What the machine reaches where nothing else is in the way.

    Attributes:
        flops_per_s: of a large matrix product in the model's dtype.
        bytes_per_s: of a large copy, read and written bytes together.
    """

    flops_per_s: float
    bytes_per_s: float

    def floor_ms(self, work: Work) -> float:
        """The least time of work whose arithmetic and traffic can overlap, in milliseconds."""
        return 1e3 * max(work.flops / self.flops_per_s, work.bytes / self.bytes_per_s)


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama, and the bytes of its numbers.

    Attributes:
        width: of the residual stream.
        inner: width of the feed-forward.
        groups: key and value heads, which the ``heads`` share.
        head_width: width of a head.
        weight_bytes: of a weight of a layer's linear maps; embedding, head and norms are never quantised.
        value_bytes: of any other number: activations, keys and values.
    """

    width: int
    inner: int
    layers: int
    heads: int
    groups: int
    head_width: int
    vocabulary: int
    weight_bytes: float
    value_bytes: float

    @classmethod
    def of(cls, config: Any, dtype: torch.dtype, quantisation: str = "none") -> "Shape":
        """The shape of a ``transformers`` configuration whose layers are a Llama's."""
        value_bytes = dtype.itemsize
        return cls(
            width=config.hidden_size,
            inner=config.intermediate_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            groups=config.num_key_value_heads,
            head_width=config.head_dim,
            vocabulary=config.vocab_size,
            weight_bytes=QUANTISED_BYTES.get(quantisation, value_bytes),
            value_bytes=value_bytes,
        )

    @property
    def linear_weights(self) -> int:
        """Weights of all layers' linear maps: query, key, value and output, gate, up and down."""
        attention = 2 * (self.heads + self.groups) * self.head_width
        return self.layers * self.width * (attention + 3 * self.inner)

    def prefill(self, lengths: Sequence[int], head_rows: int, *, cached: bool = False) -> Work:
        """One forward pass over prompts, and logits at the last position of each.

        Args:
            lengths: tokens of each prompt.
            head_rows: how many of the vocabulary's logits are asked for.
            cached: whether keys and values are kept for what follows.
        """
        return self._pass(lengths, [0] * len(lengths), head_rows, cached=cached)

    def decode(self, lengths: Sequence[int], tokens: Sequence[int]) -> list[Work]:
        """The steps that write tokens behind prompts, beginning with the second: the first follows from the prefill.

        Args:
            lengths: tokens of each prompt.
            tokens: how many are written behind each.
        """
        steps = []
        for step in range(1, max(tokens)):
            before = [length + step - 1 for length, written in zip(lengths, tokens, strict=True) if written > step]
            steps.append(self._pass([1] * len(before), before, self.vocabulary, cached=True))
        return steps

    def _pass(self, new: Sequence[int], before: Sequence[int], head_rows: int, *, cached: bool) -> Work:
        """One forward pass over ``new`` tokens of each sequence behind ``before`` tokens that are in the cache."""
        tokens = sum(new)
        # pairs of a token and one that it sees, itself included
        seen = sum(n * b + n * (n + 1) // 2 for n, b in zip(new, before, strict=True))
        linear_flops = 2 * tokens * self.linear_weights + 2 * len(new) * self.width * head_rows
        attention_flops = 4 * seen * self.layers * self.heads * self.head_width
        norms_and_head = (2 * self.layers + 1 + head_rows) * self.width
        residual = (2 * self.layers + 1) * self.width * tokens  # looked up, then read and written once a layer
        in_cache = sum(before) + (tokens if cached else 0)  # read and written
        values = norms_and_head + residual + 2 * self.layers * self.groups * self.head_width * in_cache
        return Work(linear_flops + attention_flops, self.linear_weights * self.weight_bytes + values * self.value_bytes)


def measure_ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    """Measure both ceilings: the best of several products in the dtype, and of copies too large for common caches."""
    side, numbers = (8192, 2**29) if device.type == "cuda" else (2048, 2**26)
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in "ab")
    product_ms = min(latency.measure(lambda: a @ b, device, TRIES).timings_ms)
    source = torch.ones(numbers, device=device)
    target = torch.empty_like(source)
    copy_ms = min(latency.measure(lambda: target.copy_(source), device, TRIES).timings_ms)
    return Ceilings(flops_per_s=2e3 * side**3 / product_ms, bytes_per_s=2e3 * source.nbytes / copy_ms)
