"""A linear recurrence over packed sequences, with a diagonal transition."""

from itertools import pairwise

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx


def linear_recurrence(drive: Tensor, transition: Tensor, sizes: list[int]) -> Tensor:
    """States ``h_t = transition * h_(t-1) + drive_t`` of every sequence, from ``h_0 = drive_0``.

    One multiply-add a time step, in place, on the sequences that are still running: T short kernels and N x h work,
    where the parallel form of Yue et al. (2024) needs log2(T) passes over B x T x h.

    Args:
        drive: complex, shape [N, h], in the order of :class:`baselines.packed.Packed`.
        transition: complex, shape [h].
        sizes: sequences still running at each time step, as in ``Packed``.

    Returns:
        Complex, shape [N, h].
    """
    states: Tensor = _LinearRecurrence.apply(drive, transition, sizes)  # type: ignore[no-untyped-call]
    return states


def previous(states: Tensor, sizes: list[int]) -> Tensor:
    """The state one step before every position that has one, shape [N - n of the first step, h]."""
    going_on = zip(torch.split(states, sizes), [*sizes[1:], 0], strict=True)
    return torch.cat([state[:size] for state, size in going_on])


class _LinearRecurrence(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, drive: Tensor, transition: Tensor, sizes: list[int]) -> Tensor:
        states = drive.clone()
        for before, now in pairwise(torch.split(states, sizes)):
            now.addcmul_(before[: len(now)], transition)
        ctx.save_for_backward(states, transition)
        ctx.sizes = sizes  # type: ignore[attr-defined]
        return states

    @staticmethod
    def backward(ctx: FunctionCtx, *d_states: Tensor) -> tuple[Tensor, Tensor, None]:
        states, transition = ctx.saved_tensors  # type: ignore[attr-defined]
        sizes: list[int] = ctx.sizes  # type: ignore[attr-defined]
        d_drive = d_states[0].clone()
        steps, conjugate = torch.split(d_drive, sizes), transition.conj().resolve_conj()
        for before, now in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
            before[: len(now)].addcmul_(now, conjugate)
        d_transition = (previous(states, sizes).conj() * d_drive[sizes[0] :]).sum(0)
        return d_drive, d_transition, None
