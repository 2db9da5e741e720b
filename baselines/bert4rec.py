"""BERT4Rec: a bidirectional encoder trained on masked items (Sun et al., CIKM 2019).

Shapes: N valid positions of a batch (see ``baselines.packed``), d width, V items; the id V + 1 is the mask.
"""

from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.attention import AttentionConfig, Block
from baselines.encoder import GRID, SequenceModel, SequenceSystem, initialise, item_scores
from baselines.objective import Asked
from baselines.packed import Packed, pack
from harness.dropout import Dropout
from harness.system import SystemSpec, register


class BERT4RecConfig(AttentionConfig):
    """Settings of BERT4Rec.

    Attributes:
        mask: share of a window's items that are masked (section 3.6; the paper's 0.2 on dense sets, 0.6 on sparse).
        mask_last: share of windows of which the last item alone is masked, as it is at test time (the published code
            adds one such copy to ten others).
    """

    mask: float = Field(0.2, gt=0, le=1)
    mask_last: float = Field(1 / 11, ge=0, le=1)


class BERT4Rec(SequenceModel):
    """Item embedding + learned position, bidirectional blocks, a GELU layer, dot products with the embedding.

    Positions are counted from the end, so that the mask appended at test time stands where the last item is trained.
    """

    settings: BERT4RecConfig
    bias: Tensor

    def __init__(self, settings: BERT4RecConfig, n_items: int, length: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.settings = settings
        self.n_items = n_items
        self.embedding = nn.Embedding(n_items + 2, width)
        self.position = nn.Embedding(length + 1, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        blocks = (Block(width, 4 * width, settings.heads, dropout, causal=False) for _ in range(settings.blocks))
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.apply(initialise)

    @property
    def item_vectors(self) -> Tensor:
        """Embeddings of the items, without that of the mask, shape [V, d]."""
        return self.embedding.weight[1:-1]

    def features(self, packed: Packed, asked: Tensor) -> Tensor:
        """What the M positions that are asked know of the items around them, shape [M, d].

        The last block and the head work on them alone: part of a window is masked, one position of a history counts.
        """
        x: Tensor = self.dropout(self.norm(self.embedding(packed.items) + self.position(packed.from_end)))
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x, packed)
        x = self.head(last(x, packed, asked))
        return x

    def ask(self, windows: Tensor, random: np.random.Generator) -> Asked:
        """The masked items; windows [B, T + 1], every item an input."""
        masked = torch.from_numpy(cloze(windows.numpy(), self.settings.mask, self.settings.mask_last, random))
        packed = pack(windows.masked_fill(masked, self.n_items + 1), self.bias.device)
        asked = (packed.items == self.n_items + 1).nonzero().squeeze(1)
        target = packed.pack(windows.to(self.bias.device))[asked]
        return Asked(self.features(packed, asked), target, packed.source[asked], windows.shape[1])

    def scores(self, history: Tensor) -> Tensor:
        """[query, T] -> [query, V + 1], at a mask appended to the history."""
        mask = history.new_full((len(history), 1), self.n_items + 1)
        packed = pack(torch.cat([history, mask], 1), self.bias.device)
        return item_scores(self.features(packed, packed.last), self.item_vectors, self.bias)


def cloze(
    windows: npt.NDArray[np.int64], share: float, last: float, random: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which items to mask: ``share`` of each window's, at least one; the last one alone in about ``last`` of windows.

    Args:
        windows: item ids, left-padded with 0, shape [B, T].
        share: of a window's items.
        last: of the windows.
        random: what draws.

    Returns:
        Shape [B, T].
    """
    lengths = (windows > 0).sum(1, keepdims=True)
    draw = np.where(windows > 0, random.random(windows.shape), np.inf)
    rank = draw.argsort(1).argsort(1)
    only_last = np.arange(windows.shape[1]) == windows.shape[1] - 1
    masked: npt.NDArray[np.bool_] = rank < np.maximum(1, np.rint(share * lengths))
    return np.where(random.random((len(windows), 1)) < last, only_last, masked)


register(
    SystemSpec(
        name="bert4rec",
        source="Sun et al., CIKM 2019, arXiv 1904.06690; settings of LlamaRec, section 4",
        config=BERT4RecConfig,
        build=partial(SequenceSystem[BERT4RecConfig], BERT4Rec),
        grid=GRID,
    )
)
