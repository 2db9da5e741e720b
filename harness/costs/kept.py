"""Kept costs of ranking: one sealed file a point, so that a measurement that was stopped goes on with the next."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch

from harness import environment
from harness.costs.plan import Kind, Point, planned
from harness.costs.retrieval import RetrievalCost
from harness.data.dataset import Dataset
from harness.folders import below, write_whole
from harness.home import Home
from harness.llm.ranking_cost import RankingCost
from harness.resolve import profiles
from harness.sealed import Sealed

SUFFIX = ".cost.json"
Size = tuple[str, str, int, int, int, int, str]


class KeptCost(Sealed):
    """One point, and how it came about.

    Attributes:
        point: identity of what was measured, on what.
        titles: the data set whose titles the prompts are made of.
        retrieval: what finding candidates for as many users took; None where no retriever was at hand.
        device: ``cpu`` or ``cuda``; None where that was not kept: the GPU where there was one.
        command, started_at, git_sha, dirty, versions, hardware: as in a run's record.
        seal: sha256 of all this without the field itself, so that an edit shows.
    """

    point: str
    titles: str
    cost: RankingCost
    retrieval: RetrievalCost | None = None
    device: str | None = None
    command: str
    started_at: str
    git_sha: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, str | int | float]
    seal: str = ""

    @property
    def machine(self) -> str:
        """The GPU, or the processor and its threads."""
        gpu = None if self.device == "cpu" else self.hardware.get("gpu")
        return str(gpu or f"{self.hardware['processor']}, {self.hardware['threads']} thread(s)")

    @property
    def retriever_share(self) -> float | None:
        """The retriever's part of the time of retrieval and ranking."""
        if self.retrieval is None:
            return None
        return self.retrieval.p50_ms / (self.retrieval.p50_ms + self.cost.p50_ms)


def all_costs(folder: Path) -> list[KeptCost]:
    """Every cost under a folder, by point.

    Raises:
        InputError: one of the files cannot be read, or was edited.
    """
    found = {}
    for path in below(folder, f"*{SUFFIX}"):
        kept = KeptCost.read(path, "a cost", "delete it and measure again")
        found[kept.point] = kept
    return list(found.values())


def of_figure(kind: Kind, costs: Sequence[KeptCost]) -> list[KeptCost]:
    """Those that a kind of figure shows: measured at a point that some profile plans for it.

    A backbone is shown bare in a figure of serving, and in another one where no tuned checkpoint on it was measured so
    on that machine with these titles.
    Of several that differ only in how often they were timed, the most often timed on each machine.
    """
    sized = [kept for kept in costs if _size_of(kept.cost) in _sizes(kind)]
    tuned = {_where(kept) for kept in sized if not kept.cost.bare} if kind == "cost" else set()
    own = [kept for kept in sized if kept.cost.bare != (_where(kept) in tuned)]
    often = sorted(own, key=lambda kept: len(kept.cost.whole.timings_ms))
    return list({(*_where(kept), kept.cost.checkpoint): kept for kept in often}.values())


def _where(kept: KeptCost) -> tuple[str, str, Size]:
    return kept.machine, kept.titles, _size_of(kept.cost)


@cache
def _sizes(kind: Kind) -> frozenset[Size]:
    return frozenset(
        (p.backbone, p.quantisation, p.batch, p.title_tokens, p.history, p.candidates, p.method)
        for profile in profiles()
        for p in planned(kind, profile)
    )


def _size_of(cost: RankingCost) -> Size:
    model, tokens = cost.model, round(cost.title_tokens)
    return model.name, model.quantisation, cost.batch, tokens, cost.history, cost.candidates, cost.method


def write(kept: KeptCost, folder: Path) -> Path:
    """Write a cost, whole or not at all."""
    return write_whole(folder / f"{kept.point}{SUFFIX}", kept.model_dump_json(indent=1, exclude_unset=True) + "\n")


def missing(
    points: Iterable[Point], titles: Dataset, device: torch.device, home: Home, *, retrieval: bool = False
) -> dict[str, Point]:
    """Identity -> point, of those that were not measured on this machine yet.

    Args:
        points: what is wanted.
        titles: whose titles the prompts are made of.
        device: where they are to be measured.
        home: where costs are kept.
        retrieval: whether a point that was kept without the retriever's time is to be measured again, with it.
    """
    done = {kept.point for kept in all_costs(home.runs) if kept.retrieval or not retrieval}
    return {name: point for point in points if (name := identity(point, titles, device)) not in done}


def identity(point: Point, titles: Dataset, device: torch.device) -> str:
    """Digest of the point, the titles' files and the machine, 16 hex digits.

    One number stands for history and candidates where they are equal, as when points were first kept; and a bare
    backbone's point says nothing of a checkpoint.
    """
    what = asdict(point)
    if point.history == point.candidates:
        what["items"] = what.pop("history")
        del what["candidates"]
    if point.checkpoint is None:
        del what["checkpoint"]
    where = environment.hardware()
    machine = [device.type, where["gpu" if device.type == "cuda" else "processor"], where["threads"]]
    files = sorted(source.sha256 for source in titles.sources)
    document = json.dumps([what, files, machine], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]
