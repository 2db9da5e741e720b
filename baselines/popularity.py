"""Popularity: every user is offered the items that were interacted with most often. The floor of any comparison."""

import numpy as np
import torch
from torch import Tensor

from baselines.unseen_user import BY_COUNTS
from harness.config import Settings
from harness.data.dataset import Sequences
from harness.record import FitRecord, ModelRecord
from harness.system import Context, Queries, SystemSpec, expect, register


class PopularityConfig(Settings):
    """Nothing to set."""


class Popularity:
    """Score of an item: its training interactions. Items counted equally often tie."""

    def __init__(self, settings: PopularityConfig) -> None:
        self.settings = settings

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Count."""
        counts = np.bincount(train.items, minlength=context.dataset.n_items + 1)
        self.counts = torch.from_numpy(counts).to(context.device, torch.float32)
        return FitRecord(notes={"unseen_user": BY_COUNTS})

    def score(self, queries: Queries) -> Tensor:
        """Counts of all items, shape [query, item + 1], or of the queries' candidates, shape [query, candidate]."""
        if queries.candidates is None:
            return self.counts.repeat(len(queries), 1)
        return self.counts[queries.candidates.to(self.counts.device)]

    def weights(self) -> dict[str, Tensor]:
        """The counts, shape [item + 1]."""
        return {"counts": self.counts}

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Take the counts."""
        expect(weights, {"counts": torch.Size([context.dataset.n_items + 1])})
        self.counts = weights["counts"].to(context.device)

    def backbone(self) -> ModelRecord | None:
        """None."""
        return None


register(
    SystemSpec(
        name="popularity",
        source="the usual floor; not in LlamaRec's tables",
        config=PopularityConfig,
        build=Popularity,
        tasks=("next-item", "candidates"),
    )
)
