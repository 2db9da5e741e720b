"""Two sides' results to the rows of a table. A side's result is what ``harness_side`` and ``recbole_side`` print."""

from dataclasses import dataclass
from typing import Any, Literal

from tabulate import tabulate

MIB = 2**20
TRAINING_GOAL = 15.0  # times as many targets a second
RANKING_GOAL = 2.0  # times as fast
MEMORY_GOAL = 5.0  # times less

Result = dict[str, Any]
Point = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One measure of one system.

    Attributes:
        harness: None: not reached.
        better: whether more or less of the measure is.
        goal: how many times better than RecBole the harness is to be.
    """

    system: str
    measure: str
    harness: float | None
    recbole: float
    better: Literal["more", "less"]
    goal: float | None = None
    note: str = ""

    @property
    def times(self) -> float | None:
        """How many times better than RecBole."""
        if self.harness is None:
            return None
        return self.harness / self.recbole if self.better == "more" else self.recbole / self.harness

    @property
    def verdict(self) -> str:
        """Whether the goal is met, where there is one."""
        if self.goal is None:
            return ""
        met = self.times is not None and self.times >= self.goal
        return f"{self.goal:g}x {'met' if met else 'missed'}"


def best(result: Result) -> Point:
    """The validation with the highest NDCG@10, the first of them."""
    return max(result["curve"], key=lambda point: point["ndcg"])


def seconds_to(result: Result, ndcg: float) -> float | None:
    """Seconds of training until a validation gave that NDCG@10; None if none did."""
    return next((point["train_s"] for point in result["curve"] if point["ndcg"] >= ndcg), None)


def targets_per_s(result: Result) -> float:
    """Targets a second over the whole training."""
    return result["curve"][-1]["targets"] / result["curve"][-1]["train_s"]


def epoch_s(result: Result) -> float:
    """Seconds an epoch takes, from those that its steps took."""
    return result["epoch_steps"] * result["curve"][-1]["train_s"] / result["curve"][-1]["steps"]


def training_rows(system: str, ours: Result, peer: Result) -> list[Row]:
    """Targets a second, an epoch, a full evaluation."""
    steps, epoch = peer["curve"][-1]["steps"], peer["epoch_steps"]
    extrapolated = f"RecBole's from {steps} of {epoch} steps" if steps < epoch else ""
    evaluation_s = (min(point["evaluate_s"] for point in side["curve"]) for side in (ours, peer))
    return [
        Row(system, "training, targets/s", targets_per_s(ours), targets_per_s(peer), "more", TRAINING_GOAL),
        Row(system, "one epoch, s", epoch_s(ours), epoch_s(peer), "less", note=extrapolated),
        Row(system, f"full ranking of {ours['users']:,} users, s", *evaluation_s, "less"),
    ]


def reach_row(system: str, ours: Result, peer: Result, batch: int) -> Row:
    """Training time to RecBole's best validation; ``batch`` is the harness's, in windows."""
    top = best(peer)
    reached_s = seconds_to(ours, top["ndcg"])
    note = f"the harness's batch: {batch}"
    if reached_s is None:
        note += f"; it came to {best(ours)['ndcg']:.4f} in {ours['curve'][-1]['train_s']:.0f} s"
    return Row(system, f"training to NDCG@10 {top['ndcg']:.4f}, s", reached_s, top["train_s"], "less", note=note)


def ranking_rows(system: str, ours: Result, peer: Result, batch: int, *, judged: bool) -> list[Row]:
    """Time and memory of ranking; ``batch`` is RecBole's, and ``judged`` says whether the goals are about it."""
    task = f"full ranking, {ours['users']:,} users x {ours['items']:,} items"
    note = f"RecBole's batch: {batch}"
    goals = (RANKING_GOAL, MEMORY_GOAL) if judged else (None, None)
    memory = (side["peak_bytes"] / MIB for side in (ours, peer))
    return [
        Row(system, f"{task}, s", ours["evaluate_s"], peer["evaluate_s"], "less", goals[0], note),
        Row(system, f"{task}, peak MiB", *memory, "less", goals[1], note),
    ]


def as_table(rows: list[Row]) -> str:
    """Markdown."""
    cells = [
        (row.system, row.measure, _number(row.harness), _number(row.recbole), _times(row), row.verdict, row.note)
        for row in rows
    ]
    headers = ("system", "measure", "harness", "RecBole", "times better", "goal", "note")
    return tabulate(cells, headers, tablefmt="github", disable_numparse=True)


def _number(value: float | None) -> str:
    return "not reached" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(row: Row) -> str:
    return "" if row.times is None else f"{row.times:.3g}x"
