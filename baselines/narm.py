"""NARM: neural attentive session-based recommendation (Li et al., CIKM 2017).

Shapes: N valid positions of a batch in groups of b sequences of at most t items (see ``baselines.packed``), d width, V
items.
"""

from functools import partial

import torch
from torch import Tensor, nn

from baselines.encoder import GRID, CausalConfig, CausalModel, SequenceSystem, initialise, item_scores
from baselines.gru import gru_states
from baselines.packed import Packed, pack, rows
from harness.dropout import Dropout
from harness.system import SystemSpec, register

STEPS = 16  # time steps whose attention is worked out at once: enough to keep the cores busy, little enough for a cache


class NARM(CausalModel):
    """GRU; its last state, and its states weighted by their likeness to the last one; a bilinear score.

    The original trains on every prefix of a session as an example of its own. A GRU reads forward only, so one pass
    gives the states of all prefixes, and position t attends to the states up to t: the same examples, read once, but
    all of a session in one batch. ``targets: prefixes`` draws batches of prefixes, as the original does.
    """

    def __init__(self, settings: CausalConfig, n_items: int, length: int) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        self.bias = None
        self.embedding = nn.Embedding(n_items + 1, width)
        self.gru = nn.GRU(width, width)
        self.query = nn.Linear(width, width, bias=False)  # the paper's A1
        self.key = nn.Linear(width, width, bias=False)  # A2
        self.value = nn.Parameter(torch.empty(width).normal_(std=0.02))  # v
        self.bilinear = nn.Linear(2 * width, width, bias=False)  # B
        self.dropout = Dropout(settings.dropout)
        self.apply(initialise)

    def states(self, packed: Packed) -> Tensor:
        """The GRU's state at each position, shape [N, d]."""
        return gru_states(self.gru, self.dropout(self.embedding(packed.items)), packed.sizes)

    def attend(self, query: Tensor, key: Tensor) -> Tensor:
        """Weights ``v . sigmoid(A1 h_query + A2 h_key)``, with no softmax (section 3.4): [..., d] -> [...]."""
        return torch.sigmoid(query + key) @ self.value

    def join(self, last: Tensor, local: Tensor) -> Tensor:
        """The last state and the weighted sum of states, each [N, d], to the vector that meets the items', [N, d]."""
        joined: Tensor = self.bilinear(self.dropout(torch.cat([last, local], 1)))
        return joined

    def features(self, packed: Packed) -> Tensor:
        """What each position knows of the items up to it, shape [N, d]."""
        states = self.states(packed)
        local = map(self.local, *(packed.unpack(x) for x in (self.query(states), self.key(states), states)))
        return self.join(states, packed.repack(local))

    def local(self, query: Tensor, key: Tensor, states: Tensor) -> Tensor:
        """The weighted sum of states up to each, for a group of sequences: each [b, t, d] -> [b, t, d]."""
        sums = []
        for start in range(0, query.shape[1], STEPS):
            stop = start + STEPS
            weights = self.attend(query[:, start:stop, None], key[:, None, :stop])  # [b, STEPS, t]
            sums.append(weights.tril(start) @ states[:, :stop])  # no state later than its own
        return torch.cat(sums, 1)

    def scores(self, history: Tensor) -> Tensor:
        """[query, T] -> [query, V + 1]; only the last position attends."""
        packed = pack(history, self.value.device)
        states = self.states(packed)
        last = rows(states, packed.last)
        weights = self.attend(rows(self.query(last), packed.row), self.key(states))  # [N]
        local = torch.zeros_like(last).index_add(0, packed.row, weights[:, None] * states)
        return item_scores(self.join(last, local), self.item_vectors)


register(
    SystemSpec(
        name="narm",
        source="Li et al., CIKM 2017, arXiv 1711.04725; settings of LlamaRec, section 4",
        config=CausalConfig,
        build=partial(SequenceSystem[CausalConfig], NARM),
        tasks=("next-item", "candidates"),
        grid=GRID,
    )
)
