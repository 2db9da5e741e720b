"""What a way to rank costs, beside how good it is: one row a checkpoint, prompt and method."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from harness import metrics, stats
from harness.cell import Cell
from harness.config import Strict
from harness.costs.kept import KeptCost, of_figure
from harness.costs.rankers import checkpoint, that_rank, tuned_for
from harness.llm.catalogue import entries
from harness.llm.ranking_cost import METHODS, RankingCost
from harness.papers.cost_figures import CostFigure
from harness.papers.paper import Paper, number
from harness.store import Run
from harness.verdict import Verdict

METRIC, K = "NDCG", 10
SECONDS = "latency_s"
NOT_TUNED = "not tuned"


class CostRow(Strict):
    """A measured cost and the accuracy of the same checkpoint asked the same way.

    Attributes:
        table: the figure that it belongs to.
        cost: what was measured.
        run: identity of the run that says how good it is; None where there is none.
        users: how many it was asked.
        ndcg: NDCG@10 over them; ``low`` and ``high``: its 95 % interval over users.
        named: candidates that a written list of that run names, on average; None where it writes none.
        unparsed: entries of it that are only the beginning of a candidate's text; ``invented``: that are none at all.
        tuned_for: the way to rank that the checkpoint was tuned for; None for a backbone that was not tuned, or where
            the run that tuned it is not there.
        why_none: why there is no accuracy.
    """

    table: str
    cost: KeptCost
    run: str | None = None
    users: int | None = None
    ndcg: float | None = None
    low: float | None = None
    high: float | None = None
    named: float | None = None
    unparsed: float | None = None
    invented: float | None = None
    tuned_for: str | None = None
    why_none: str | None = None


def rows(paper: Paper, table: str, costs: Sequence[KeptCost], runs: Sequence[Run]) -> list[CostRow]:
    """The costs of a figure by machine, checkpoint, batch, length of titles and method; none for another table.

    Args:
        paper: the paper.
        table: its figure's name.
        costs: all there are.
        runs: all there are, those that asked only some test queries among them.
    """
    spec = paper.table(table)
    if not isinstance(spec, CostFigure):
        return []
    ordered, by_id = sorted(of_figure("cost", costs), key=_place), {run.record.run: run for run in runs}
    score = cache(lambda name: _score(by_id[name]))
    return [CostRow(table=table, cost=kept, **_accuracy(paper, spec, kept, runs, score)) for kept in ordered]


def _place(kept: KeptCost) -> tuple[str, str, str, str, int, int, int]:
    cost = kept.cost
    method = list(METHODS).index(cost.method)
    model = (cost.model.name, cost.model.quantisation, cost.checkpoint)
    return kept.machine, *model, cost.batch, round(cost.title_tokens), method


def _accuracy(
    paper: Paper, spec: CostFigure, kept: KeptCost, runs: Sequence[Run], score: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    cost, model = kept.cost, kept.cost.model
    if (entry := entries().get(model.name)) and entry.shape:
        return {"why_none": "the weights are random"}
    able = that_rank(paper, spec, kept.cost.method, kept.titles, [r for r in runs if checkpoint(r) == cost.checkpoint])
    if not able:
        return {"why_none": NOT_TUNED if cost.bare else "not run"}
    tuned = (tuned_for(paper, spec, run) for run in runs if run.record.run == cost.checkpoint)
    return {"tuned_for": next(tuned, None)} | score(able[0].record.run)


def _score(run: Run) -> dict[str, Any]:
    """How good a run is, and what its lists are of."""
    outcomes = run.outcomes()
    asked = outcomes.take(outcomes.asked)
    low, high = stats.users_interval(
        metrics.per_query(asked, METRIC, K), metrics.query_weights(len(asked), "exact"), run.config.seed
    )
    notes = run.record.fit.notes
    counted = {"named": "candidates_named", "unparsed": "entries_unparsed", "invented": "entries_invented"}
    return {
        "run": run.record.run,
        "users": len(asked),
        "ndcg": metrics.estimate(asked, METRIC, K),
        "low": low,
        "high": high,
    } | {name: float(notes[note]) / float(notes["lists"]) for name, note in counted.items() if notes.get("lists")}


def cells(paper: Paper, table: str, spec: CostFigure, costs: Sequence[KeptCost]) -> list[Cell]:
    """The figure's points: the paper's lines at its lengths of titles, from costs of single requests of its size.

    Of several checkpoints and machines the paper's own backbone is taken, else the largest one; then the one that wrote
    the longest list, since a checkpoint tuned for another answer soon ends its list; then the fastest.
    """
    found, costs = [], of_figure("cost", costs)
    for tokens, printed in spec.published.items():
        for line, method in spec.lines.items():
            asked = (method, 1, spec.items, spec.items)
            own = [kept for kept in costs if _asked(kept.cost) == asked and _near(kept, tokens)]
            best = max(own, key=partial(_preference, paper), default=None)
            text = printed[line]
            published = number(text)[0] if text else None
            ran: dict[str, Any] = {}
            if best:
                mean = best.cost.p50_ms / 1e3
                ran = {
                    "ran_dataset": best.titles,
                    "mean": mean,
                    "backbone": best.cost.model.name,
                    "difference": None if published is None else mean - published,
                    "commits": (best.git_sha,) if best.git_sha else (),
                    "dirty": best.dirty,
                    "verdict": _verdict(paper, spec, best, published),
                }
            found.append(
                Cell(
                    paper=paper.id,
                    table=table,
                    dataset=spec.titles,
                    system=line,
                    x=int(tokens),
                    metric=SECONDS,
                    k=None,
                    published=published,
                    printed=text,
                    **ran,
                )
            )
    return found


def _asked(cost: RankingCost) -> tuple[str, int, int, int]:
    return cost.method, cost.batch, cost.history, cost.candidates


def _preference(paper: Paper, kept: KeptCost) -> tuple[bool, int, bool, float, float]:
    cost = kept.cost
    return cost.model.name == paper.backbone, cost.linear_weights or 0, not cost.bare, cost.tokens, -cost.p50_ms


def _near(kept: KeptCost, tokens: str) -> bool:
    return abs(kept.cost.title_tokens - int(tokens)) < 1


def _verdict(paper: Paper, spec: CostFigure, kept: KeptCost, published: float | None) -> Verdict:
    """A time on another machine than the paper's, which it does not name, reproduces nothing."""
    if published is None:
        return "no published value"
    if kept.titles != paper.datasets[spec.titles].name:
        return "other data"
    return "other budget" if kept.cost.model.name == paper.backbone else "other backbone"
