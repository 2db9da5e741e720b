"""Sequences of unequal length without padding, but where their positions look at one another."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

GROUPS = {"cpu": 4}  # on a GPU one: more and smaller kernels would take longer to start


@dataclass(frozen=True)
class Packed:
    """Where the N valid positions of a left-padded batch lie when they stand one after the other.

    The order is that of torch's ``PackedSequence``: sequences sorted from long to short, then the first items of all of
    them, their second items, and so on. A layer that works on each position alone sees a tensor [N, d]; a recurrence
    takes one slice a time step. A layer that looks from each position at others takes a group of neighbours after the
    other, b sequences of at most t items, so that short ones are not laid out to the length of the longest of all.

    B is the number of sequences, T the longest one's length.

    Attributes:
        items: item ids, shape [N].
        sizes: how many sequences have a first, second, ... item; T numbers that never rise and sum to N.
        source: index of each position in the flattened left-padded batch, shape [N].
        groups: (b, t) of each group, long sequences first.
        slot: index of each position in the flattened groups, each [b, t], every sequence from time 0, shape [N].
        time: how many items stand before in the same sequence, shape [N].
        row: index of each position's sequence, in the caller's order, shape [N].
        from_end: how many items follow in the same sequence, shape [N].
        last: index of each sequence's last position, in the caller's order, shape [B].
    """

    items: Tensor
    sizes: list[int]
    source: Tensor
    groups: list[tuple[int, int]]
    slot: Tensor
    time: Tensor
    row: Tensor
    from_end: Tensor
    last: Tensor

    def pack(self, padded: Tensor) -> Tensor:
        """The valid positions of another left-padded tensor of the batch's shape, shape [N]."""
        return padded.flatten()[self.source]

    def unpack(self, x: Tensor) -> list[Tensor]:
        """[N, d] to [b, t, d] for each group: every sequence from time 0, zeros behind its end."""
        cells = [count * time for count, time in self.groups]
        flat = x.new_zeros(sum(cells), x.shape[-1]).index_copy(0, self.slot, x)
        return [part.view(*group, -1) for part, group in zip(torch.split(flat, cells), self.groups, strict=True)]

    def repack(self, groups: Iterable[Tensor], asked: Tensor | None = None) -> Tensor:
        """Each group's [b, t, d], as :meth:`unpack` gives them, to [N, d], or to [M, d]: the positions asked alone."""
        slot = self.slot if asked is None else self.slot[asked]
        return rows(torch.cat([group.flatten(0, 1) for group in groups]), slot)


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
    size = -(-count // GROUPS.get(device.type, 1))
    strides = lengths[torch.arange(count) // size * size]  # of each sequence, its group's longest
    slot = (strides.cumsum(0) - strides + time)[valid]
    from_end = (lengths - 1 - time)[valid]
    last = torch.empty_like(order)
    last[order] = (valid.sum(1).cumsum(0) - valid.sum(1))[lengths - 1] + torch.arange(count)
    return Packed(
        items=padded.flatten()[source].to(device),
        sizes=valid.sum(1).tolist(),
        source=source.to(device),
        groups=[(len(part), int(part[0])) for part in torch.split(lengths, size)],
        slot=slot.to(device),
        time=time.expand_as(valid)[valid].to(device),
        row=(source // width).to(device),
        from_end=from_end.to(device),
        last=last.to(device),
    )
