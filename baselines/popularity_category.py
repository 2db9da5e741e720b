"""Popularity and category overlap: a floor that knows no more of a user than the categories of the history.

It is not in LLM-TRSR's tables. Shapes: B queries, T history items, C candidates, L labels of the item with the most.
"""

import numpy as np
import torch
from torch import Tensor

from baselines.unseen_user import BY_HISTORY
from harness import metrics
from harness.config import Settings
from harness.data.dataset import Sequences
from harness.errors import InputError
from harness.record import FitRecord, ModelRecord
from harness.system import Context, Queries, SystemSpec, expect, register

WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
MONITOR = "MRR@10"


class PopularityCategoryConfig(Settings):
    """Its settings.

    Attributes:
        category_field: the item text that holds the category; several are separated by ``|``.
        weight: of the overlap; None: that of ``WEIGHTS`` with the best MRR@10 on validation, the least of equals.
    """

    category_field: str = "category"
    weight: float | None = None


class PopularityCategory:
    """Score: log(1 + training interactions) + weight x share of the history that has a category of the candidate."""

    def __init__(self, settings: PopularityCategoryConfig) -> None:
        self.settings = settings

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Count, and choose the weight on validation.

        Raises:
            InputError: the items have no such field.
        """
        self._read_labels(context)
        counts = np.bincount(train.items, minlength=context.dataset.n_items + 1)
        self.log_counts = torch.from_numpy(np.log1p(counts)).to(context.device, torch.float32)
        told: dict[str, float | int | str] = {
            "category_field": self.settings.category_field,
            "unseen_user": BY_HISTORY,
        }
        if self.settings.weight is not None:
            self.weight = self.settings.weight
            return FitRecord(notes=told | {"weight": self.weight})
        values: list[float] = []
        for weight in WEIGHTS:
            self.weight = weight
            values.append(metrics.estimate(context.validate(self.score), *metrics.metric_at(MONITOR)))
        self.weight = WEIGHTS[int(np.argmax(values))]
        return FitRecord(monitor=MONITOR, notes=told | {"weight": self.weight, MONITOR: max(values)})

    def _read_labels(self, context: Context) -> None:
        """Each item's categories as numbers from 1 in alphabetic order, 0 where it has no more: shape [item + 1, L]."""
        dataset, field = context.dataset, self.settings.category_field
        if field not in dataset.fields:
            found = ", ".join(dataset.fields) or "none"
            raise InputError(f"category_field={field}: {dataset.name} has no such item text; it has: {found}")
        split = [[label.strip() for label in text.split("|") if label.strip()] for text in dataset.fields[field]]
        number = {label: place for place, label in enumerate(sorted({x for row in split for x in row}), start=1)}
        most = max(1, *map(len, split))
        labels = [[number[label] for label in row] + [0] * (most - len(row)) for row in split]
        self.labels = torch.tensor(labels, device=context.device)

    def score(self, queries: Queries) -> Tensor:
        """Scores of the queries' candidates, shape [B, C]."""
        assert queries.candidates is not None
        popularity = self.log_counts[queries.candidates]
        return popularity + self.weight * self._overlap(queries.history, queries.candidates)

    def _overlap(self, history: Tensor, candidates: Tensor) -> Tensor:
        """Share of the history's items that have a category of the candidate: [B, T], [B, C] -> [B, C]."""
        read, offered = self.labels[history], self.labels[candidates]
        shared = torch.zeros(*candidates.shape, history.shape[1], dtype=torch.bool, device=history.device)
        for label in read.unbind(2):  # [B, T]
            for other in offered.unbind(2):  # [B, C]
                shared |= (other[:, :, None] == label[:, None]) & (label > 0)[:, None]
        return shared.sum(2) / (history > 0).sum(1, keepdim=True).clamp(min=1)

    def weights(self) -> dict[str, Tensor]:
        """Log counts, shape [item + 1], and the weight, shape []."""
        return {"log_counts": self.log_counts, "weight": torch.tensor(self.weight)}

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Take them."""
        expect(weights, {"log_counts": torch.Size([context.dataset.n_items + 1]), "weight": torch.Size([])})
        self._read_labels(context)
        self.log_counts, self.weight = weights["log_counts"].to(context.device), float(weights["weight"])

    def backbone(self) -> ModelRecord | None:
        """None."""
        return None


register(
    SystemSpec(
        name="popularity-category",
        source="a floor; not in LLM-TRSR's tables",
        config=PopularityCategoryConfig,
        build=PopularityCategory,
        tasks=("candidates",),
    )
)
