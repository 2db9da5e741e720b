"""What a system is given, built around small made-up data."""

from collections.abc import Callable
from pathlib import Path

import torch

from harness.config import TaskConfig
from harness.data.dataset import Dataset
from harness.data.splits import Split, leave_one_out, split_of
from harness.home import Home
from harness.outcomes import Outcomes
from harness.system import Context, Scorer
from harness.tasks import next_item
from tests.worlds import dataset

CPU = torch.device("cpu")


def cycle(users: int = 40, items: int = 12, length: int = 9) -> Dataset:
    """Users who start anywhere and always go on to the next item: 1, 2, ..., items, 1, ..."""
    return dataset([[(user + step) % items + 1 for step in range(length)] for user in range(users)], items)


def outcomes(scorer: Scorer, data: Dataset, part: next_item.Part, window: int, device: torch.device = CPU) -> Outcomes:
    """Outcomes over the whole catalogue but the history."""
    task = next_item.part(data, leave_one_out(data), part, TaskConfig(window=window))
    return next_item.answer(scorer, task, device)[0]


def context(
    folder: Path,
    data: Dataset,
    window: int = 6,
    seed: int = 1,
    report: Callable[[str], None] = lambda line: None,
    device: torch.device = CPU,
) -> tuple[Context, Split]:
    """A context with its checkpoints in ``folder``, and the split that belongs to it."""

    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        return outcomes(scorer, data, "validation", window, device)

    split = split_of(data)
    home = Home(folder / "home")
    given = Context(data, seed, device, window, folder / "work", validate, home, report, cases=split.cases)
    return given, split
