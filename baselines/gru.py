"""A GRU over packed sequences (Cho et al. 2014, in torch's form).

Shapes: N valid positions of a batch (see ``baselines.packed``), n of them at one time step, d width of the input, h of
the state.
"""

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx
from torch.nn.utils.rnn import PackedSequence

from baselines.recurrence import previous


def gru_states(gru: nn.GRU, x: Tensor, sizes: list[int]) -> Tensor:
    """A GRU's state at every position, shape [N, h].

    Args:
        gru: of one layer, forward, with biases.
        x: its inputs, shape [N, d], in the order of :class:`baselines.packed.Packed`.
        sizes: sequences still running at each time step, as in ``Packed``.
    """
    if x.is_cuda:
        return torchs_states(gru, x, sizes)
    weights = (gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0, gru.bias_hh_l0)
    states: Tensor = _GRU.apply(x, *weights, sizes)  # type: ignore[no-untyped-call]
    return states


def torchs_states(gru: nn.GRU, x: Tensor, sizes: list[int]) -> Tensor:
    """The same by torch's kernels."""
    states: Tensor = gru(PackedSequence(x, torch.tensor(sizes)))[0].data
    return states


class _GRU(Function):
    """A GRU that on a CPU is faster than torch's own (``benchmarks/test_training_step.py``).

    That one goes back through every operation of every time step; here going back costs three operations a time step,
    and all that does not hang on the step behind it is worked out for all steps at once.

    Gates are reset, update and new, side by side: [N, 3 h].
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor, sizes: list[int]
    ) -> Tensor:
        width = w_h.shape[1]
        gates = torch.addmm(b_x, x, w_x.T)
        read, states, state = torch.empty_like(gates), x.new_empty(len(x), width), x.new_zeros(sizes[0], width)
        for gate, of_state, after in zip(*(torch.split(each, sizes) for each in (gates, read, states)), strict=True):
            before = state[: len(after)]
            torch.addmm(b_h, before, w_h.T, out=of_state)
            gate[:, : 2 * width].add_(of_state[:, : 2 * width]).sigmoid_()
            reset, update, new = gate.chunk(3, 1)
            new.addcmul_(reset, of_state[:, 2 * width :]).tanh_()
            state = torch.lerp(new, before, update, out=after)
        ctx.save_for_backward(x, w_x, w_h, gates, read[:, 2 * width :], states)
        ctx.sizes = sizes  # type: ignore[attr-defined]
        return states

    @staticmethod
    def backward(ctx: FunctionCtx, *d_states: Tensor) -> tuple[Tensor | None, ...]:
        x, w_x, w_h, gates, read_new, states = ctx.saved_tensors  # type: ignore[attr-defined]
        sizes: list[int] = ctx.sizes  # type: ignore[attr-defined]
        reset, update, new = gates.chunk(3, 1)
        before = torch.cat([torch.zeros_like(states[: sizes[0]]), previous(states, sizes)])
        slope = (1 - update) * (1 - new * new)  # of a state by what goes into its tanh
        by_gate = (slope * read_new * reset * (1 - reset), (before - new) * update * (1 - update), slope * reset)
        d_read, d_state = torch.stack(by_gate, 1), d_states[0].clone()  # [N, 3, h], [N, h]
        after = torch.split(d_state, sizes)
        earlier = torch.zeros_like(after[0]), *after[:-1]  # what comes to the state before the first is not asked for
        steps = zip(after, earlier, torch.split(d_read, sizes), torch.split(update, sizes), strict=True)
        for d_after, d_before, d_gates, kept in reversed(list(steps)):
            d_gates.mul_(d_after[:, None])
            d_before[: len(kept)].addcmul_(d_after, kept).addmm_(d_gates.flatten(1), w_h)
        d_x = torch.cat([d_read[:, :2].flatten(1), d_state * slope], 1)
        d_h = d_read.flatten(1)
        return d_x @ w_x, d_x.T @ x, d_h.T @ before, d_x.sum(0), d_h.sum(0), None
