"""Tuned checkpoints that a figure of costs times, each with the runs that say how good its ways to rank are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from harness.costs.plan import Point
from harness.papers.cost_figures import CostFigure, Ranker
from harness.papers.paper import Paper
from harness.store import Run


def checkpoint(run: Run) -> str:
    """Identity of the run that tuned the adapter of a re-ranker's run: itself, or the one that it took it from."""
    return str(run.record.fit.notes.get("weights_of_run", run.record.run))


def way(method: str) -> str:
    """A method without what only changes its speed."""
    return ", ".join(part for part in method.split(", ") if part not in ("static cache", "compiled", "vLLM"))


def tuned_for(paper: Paper, figure: CostFigure, run: Run) -> str | None:
    """The way to rank that a run tuned its adapter for; None where the figure shows no such run."""
    ways = ((name, ranker) for name, rankers in figure.accuracy.items() for ranker in rankers)
    return next((name for name, ranker in ways if not ranker.settings.get("adapter") and _is(run, ranker, paper)), None)


def that_rank(paper: Paper, figure: CostFigure, method: str, dataset: str, runs: Sequence[Run]) -> list[Run]:
    """Of each kind of run that ranks by a method, the one of the lowest seed.

    Of several the longest trained is taken, then the one that most users were asked of, then the last.

    Args:
        paper: the paper.
        figure: its figure of costs.
        method: a name of ``harness.llm.ranking_cost.METHODS``.
        dataset: whose users are asked.
        runs: all there are.
    """
    found = []
    for ranker in figure.accuracy.get(way(method), ()):
        own = [run for run in runs if run.config.dataset == dataset and _is(run, ranker, paper)]
        if own:
            found.append(max(own, key=_preference))
    return found


def carried(
    points: Iterable[Point], paper: Paper, figure: CostFigure, dataset: str, runs: Sequence[Run]
) -> Iterator[tuple[Point, Run | None]]:
    """Each point once for every checkpoint on its backbone that ranks so, of a batch a checkpoint after the other.

    Where there is none, as for a backbone of random weights, the point stays as it is: of the bare backbone.
    """
    for named, of_backbone in groupby(points, key=lambda point: (point.backbone, point.quantisation)):
        on_it = [run for run in runs if (model := run.record.model) and (model.name, model.quantisation) == named]
        pairs: list[tuple[Point, Run | None]] = []
        for point in of_backbone:
            own = that_rank(paper, figure, point.method, dataset, on_it)
            pairs += [(replace(point, checkpoint=checkpoint(run)), run) for run in own] or [(point, None)]
        order = list(dict.fromkeys(point.checkpoint for point, _ in pairs))
        yield from sorted(pairs, key=lambda pair: (pair[0].batch, order.index(pair[0].checkpoint)))


def _is(run: Run, ranker: Ranker, paper: Paper) -> bool:
    settings = run.config.settings
    return (
        run.config.system == paper.systems[ranker.system]
        and not paper.varies(run.config)
        and all(settings.get(key) == value for key, value in ranker.settings.items())
    )


def _preference(run: Run) -> tuple[int, int, int, str]:
    record = run.record
    return -run.config.seed, record.fit.steps, record.queries.asked, record.started_at
