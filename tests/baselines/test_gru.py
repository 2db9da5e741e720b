import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from baselines.gru import gru_states, torchs_states
from harness.seeds import seeded

WIDTH, STATE = 3, 4


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 10**6))
def test_states_and_gradients_are_torchs(running: list[int], seed: int) -> None:
    sizes = sorted(running, reverse=True)
    with seeded(seed, "init"):
        gru = nn.GRU(WIDTH, STATE).double()
        x, d_states = torch.randn(sum(sizes), WIDTH).double(), torch.randn(sum(sizes), STATE).double()
    found = []
    for states in (gru_states, torchs_states):
        read = x.clone().requires_grad_()
        after = states(gru, read, sizes)
        found.append([after, *torch.autograd.grad(after, [read, *gru.parameters()], d_states)])
    torch.testing.assert_close(*found)
