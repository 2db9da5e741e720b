"""Sequences of unequal length without a single padded position."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Packed:
    """Where the N valid positions of a left-padded batch lie when they stand one after the other.

    The order is that of torch's ``PackedSequence``: sequences sorted from long to short, then the first items of all of
    them, their second items, and so on. A layer that works on each position alone sees a tensor [N, d]; a recurrence
    takes one slice a time step.

    B is the number of sequences, T the longest one's length.

    Attributes:
        items: item ids, shape [N].
        sizes: how many sequences have a first, second, ... item; T numbers that never rise and sum to N.
        source: index of each position in the flattened left-padded batch, shape [N].
        slot: index of each position in a flattened [B, T] layout that starts every sequence at time 0, shape [N].
        row: index of each position's sequence, in the caller's order, shape [N].
        from_end: how many items follow in the same sequence, shape [N].
        last: index of each sequence's last position, in the caller's order, shape [B].
    """

    items: Tensor
    sizes: list[int]
    source: Tensor
    slot: Tensor
    row: Tensor
    from_end: Tensor
    last: Tensor

    def pack(self, padded: Tensor) -> Tensor:
        """The valid positions of another left-padded tensor of the batch's shape, shape [N]."""
        return padded.flatten()[self.source]

    def unpack(self, x: Tensor) -> Tensor:
        """[N, d] to [B, T, d]: long sequences first, each from time 0, zeros behind its end."""
        rows = self.sizes[0] * len(self.sizes)
        return x.new_zeros(rows, x.shape[-1]).index_copy(0, self.slot, x).view(self.sizes[0], len(self.sizes), -1)

    def repack(self, x: Tensor) -> Tensor:
        """[B, T, d], as :meth:`unpack` gives it, to [N, d]."""
        return rows(x.flatten(0, 1), self.slot)


def rows(x: Tensor, index: Tensor) -> Tensor:
    """``x[index]`` for x of shape [N, d]; as an embedding look-up, whose backward pass is the fastest of its kind."""
    return functional.embedding(index, x)


def pack(padded: Tensor, device: torch.device) -> Packed:
    """Pack a batch of item ids, shape [B, T], left-padded with 0; every row holds at least one item.

    The indices are worked out on the CPU, which must know the sizes in any case, and then moved to ``device``.
    """
    padded = padded.cpu()
    count, width = padded.shape
    lengths = (padded != 0).sum(1)
    lengths, order = lengths.sort(descending=True, stable=True)
    time = torch.arange(int(lengths[0]))[:, None]  # [T, 1]
    valid = time < lengths  # [T, B], long sequences first
    source = (order * width + width - lengths + time)[valid]
    slot = (torch.arange(count) * len(time) + time)[valid]
    from_end = (lengths - 1 - time)[valid]
    last = torch.empty_like(order)
    last[order] = (valid.sum(1).cumsum(0) - valid.sum(1))[lengths - 1] + torch.arange(count)
    return Packed(
        items=padded.flatten()[source].to(device),
        sizes=valid.sum(1).tolist(),
        source=source.to(device),
        slot=slot.to(device),
        row=(source // width).to(device),
        from_end=from_end.to(device),
        last=last.to(device),
    )
