"""What finding the candidates takes: a finished run's system scores the whole catalogue for a batch of users."""

from collections.abc import Callable
from functools import cache

import torch

from harness import latency
from harness.config import Strict
from harness.data.dataset import Dataset
from harness.home import Home
from harness.job import Job, restore
from harness.latency import Measured
from harness.progress import Report
from harness.seeds import rng
from harness.store import Run
from harness.tasks import next_item, ranking


class RetrievalCost(Strict):
    """The time of one retrieval.

    Attributes:
        run: identity of the retriever's run.
        whole: scores of all items for a batch of users, and the best of them on the host.
    """

    run: str
    whole: Measured

    @property
    def p50_ms(self) -> float:
        """Median time of the whole."""
        return self.whole.p50_ms


def measurer(
    run: Run, dataset: Dataset, device: torch.device, home: Home, report: Report
) -> Callable[[int, int], RetrievalCost]:
    """What times the retrieval of the system that a finished run left behind.

    Args:
        run: a retriever's.
        dataset: what it was trained on.
        device: where it computes.
        home: the run's.
        report: takes one line of progress at a time.

    Returns:
        From a number of users, drawn with replacement, and how many timings, to their cost; each is measured once.
    """
    config, job = run.config, Job.again(run, dataset, home, report)
    retriever = restore(run, job.context())
    asked = next_item.part(job.dataset, job.split, "test", config.task)

    @cache
    def measure(batch: int, repeats: int) -> RetrievalCost:
        users = rng(config.seed, "retrieval cost", batch).integers(1, len(asked) + 1, batch)
        queries = asked.queries(users, device)

        def retrieve() -> None:
            with torch.inference_mode():
                ranking.top_items(retriever.score(queries), config.task.candidates).cpu()

        return RetrievalCost(run=run.record.run, whole=latency.measure(retrieve, device, repeats))

    return measure
