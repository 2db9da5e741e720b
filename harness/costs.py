"""Measured costs of ranking: one sealed file a point, so that a measurement that was stopped goes on with the next."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from pydantic import ValidationError

from harness import environment, roofline
from harness.config import Strict, one_line
from harness.cost_plan import Point
from harness.data.dataset import Dataset
from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, prompts, ranking_cost, vllm_engine
from harness.llm.ranking_cost import METHODS, RankingCost
from harness.llm.sized_prompts import sized_prompts
from harness.progress import Report

SUFFIX = ".cost.json"


class KeptCost(Strict):
    """One point, and how it came about.

    Attributes:
        point: identity of what was measured, on what.
        titles: the data set whose titles the prompts are made of.
        command, started_at, git_sha, dirty, versions, hardware: as in a run's record.
        seal: sha256 of all this without the field itself, so that an edit shows.
    """

    point: str
    titles: str
    cost: RankingCost
    command: str
    started_at: str
    git_sha: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, str | int | float]
    seal: str = ""

    def digest(self) -> str:
        """What ``seal`` must be."""
        return hashlib.sha256(self.model_dump_json(exclude={"seal"}, exclude_unset=True).encode()).hexdigest()

    @property
    def machine(self) -> str:
        """The GPU, or the processor and its threads."""
        return str(self.hardware.get("gpu") or f"{self.hardware['processor']}, {self.hardware['threads']} thread(s)")


def all_costs(folder: Path) -> list[KeptCost]:
    """Every cost under a folder, by point.

    Raises:
        InputError: one of the files cannot be read, or was edited.
    """
    found = {}
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        try:
            kept = KeptCost.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: {one_line(error)}") from None
        if kept.seal != kept.digest():
            raise InputError(f"{path}: was changed after it was measured; delete it and measure again")
        found[kept.point] = kept
    return list(found.values())


def write(kept: KeptCost, folder: Path) -> Path:
    """Write a cost, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kept.point}{SUFFIX}"
    temporary = path.with_suffix(".unfinished")
    temporary.write_text(kept.model_dump_json(indent=1, exclude_unset=True) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def missing(points: Iterable[Point], titles: Dataset, device: torch.device, home: Home) -> dict[str, Point]:
    """Identity -> point, of those that were not measured on this machine yet."""
    done = {kept.point for kept in all_costs(home.runs)}
    return {name: point for point in points if (name := identity(point, titles, device)) not in done}


def identity(point: Point, titles: Dataset, device: torch.device) -> str:
    """Digest of the point, the titles' files and the machine, 16 hex digits."""
    where = environment.hardware()
    machine = [device.type, where.get("gpu") or where["processor"], where["threads"]]
    files = sorted(source.sha256 for source in titles.sources)
    document = json.dumps([asdict(point), files, machine], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def measure(
    points: dict[str, Point],
    wording: str,
    titles: Dataset,
    device: torch.device,
    home: Home,
    command: str,
    report: Report,
) -> None:
    """Measure points one after the other, and keep each as soon as it is there.

    Args:
        points: by identity, those of one backbone in a row.
        wording: of the prompts.
        titles: whose titles the prompts are made of.
        device: where backbones go.
        home: where they come from, and where costs are kept.
        command: what the user typed.
        report: takes one line of progress at a time.
    """
    loaded: dict[tuple[str, str], tuple[backbone.Backbone, roofline.Ceilings]] = {}
    sha, dirty = environment.commit()
    for place, (name, point) in enumerate(points.items(), start=1):
        wanted = (point.backbone, point.quantisation)
        if wanted not in loaded:
            loaded.clear()
            llm = backbone.load(point.backbone, home, device, quantisation=point.quantisation, report=report)
            loaded[wanted] = llm, roofline.measure_ceilings(device, getattr(torch, llm.record.dtype))
        llm, ceilings = loaded[wanted]
        started = datetime.now(UTC).isoformat(timespec="seconds")
        size = {"history": point.items, "candidates": point.items, "batch": point.batch}
        asked = sized_prompts(llm, prompts.load(wording), titles.titles, title_tokens=point.title_tokens, **size)
        with ExitStack() as scratch:
            writing, engine = METHODS[point.method], None
            if writing and writing.served:
                engine = vllm_engine.engine(llm, Path(scratch.enter_context(TemporaryDirectory())))
            cost = ranking_cost.measure(llm, point.method, asked, ceilings, point.repeats, engine=engine)
        kept = KeptCost(
            point=name,
            titles=titles.name,
            cost=cost,
            command=command,
            started_at=started,
            git_sha=sha,
            dirty=dirty,
            versions=environment.versions(),
            hardware=environment.hardware(),
        )
        kept = kept.model_copy(update={"seal": kept.digest()})
        write(kept, home.runs)
        report(
            f"{place} of {len(points)}: {point.backbone}, {point.method}, titles of {point.title_tokens} tokens, "
            f"batch {point.batch}: {cost.p50_ms:.0f} ms, {cost.p50_ms / cost.floor_ms:.1f} times the floor"
        )
