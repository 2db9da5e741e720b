"""Which costs a profile measures for a figure: ways to rank, on which backbones, at which sizes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import product
from typing import Literal

import torch

from harness.llm.backbone import Quantisation
from harness.llm.catalogue import entries
from harness.llm.ranking_cost import METHODS, VERBALIZER, Writing
from harness.resolve import CostPlan, profile_file

Kind = Literal["cost", "serving"]
TITLE_TOKENS = (5, 10, 15, 20, 25, 30, 35, 40)
PAPERS_OWN = (VERBALIZER, "titles")
COMMON = {"history": 20, "candidates": 20, "batch": 1}  # where the lines of the cost of serving meet
COMMON_TITLE_TOKENS = 10


@dataclass(frozen=True)
class Point:
    """One thing to measure.

    Attributes:
        batch: prompts ranked at once.
        title_tokens: of each item.
        history: items that each prompt names.
        candidates: items of each to rank.
        method: a name of ``harness.llm.ranking_cost.METHODS``.
        repeats: how many timings.
        checkpoint: identity of the run whose adapter the backbone carries; None: none.
    """

    backbone: str
    quantisation: Quantisation
    batch: int
    title_tokens: int
    history: int
    candidates: int
    method: str
    repeats: int
    checkpoint: str | None = None


def points(kind: Kind, profile: str, device: torch.device) -> Iterator[Point]:
    """What the profile measures for a kind of figure, a backbone after the other, the cheap first.

    Compiled and served ways need a GPU, and the latter vLLM.
    """
    for point in planned(kind, profile):
        writing = METHODS[point.method]
        if not writing or _can(writing, point.quantisation, device):
            yield point


def left_out(kind: Kind, profile: str, device: torch.device) -> list[str]:
    """Methods that the profile measures, but not here."""
    here = {point.method for point in points(kind, profile, device)}
    return sorted({point.method for point in planned(kind, profile)} - here)


def planned(kind: Kind, profile: str) -> Iterator[Point]:
    """The same for a machine that can do it all."""
    plan = profile_file(profile).costs
    return _ranking(plan) if kind == "cost" else _serving(plan)


def _ranking(plan: CostPlan) -> Iterator[Point]:
    """The paper's two ways to rank at every length of titles; rivals and larger batches where the profile says."""
    for (name, quantisation), batch, tokens, method in product(plan.backbones, plan.batches, TITLE_TOKENS, METHODS):
        if tokens in plan.rivals_at or (method in PAPERS_OWN and batch == plan.batches[0]):
            repeats = plan.repeats[method != VERBALIZER]
            yield Point(name, quantisation, batch, tokens, plan.items, plan.items, method, repeats)


def _serving(plan: CostPlan) -> Iterator[Point]:
    """The verbalizer at the common point, and along each line; no more candidates than the tokenizer has labels for."""
    lines = {name: getattr(plan.serving, name) for name in COMMON}
    grown_along = [(each, lines) for each in plan.serving.backbones] + [(each, {}) for each in plan.serving.models]
    for (name, quantisation), own in grown_along:
        common = Point(
            name,
            quantisation,
            title_tokens=COMMON_TITLE_TOKENS,
            method=VERBALIZER,
            repeats=plan.repeats[0],
            checkpoint=None,
            **COMMON,
        )
        yield common
        grown = (replace(common, **{line: value}) for line, values in own.items() for value in values)
        yield from (point for point in grown if point.candidates <= entries()[name].labels)


def _can(writing: Writing, quantisation: Quantisation, device: torch.device) -> bool:
    """Whether a list can be written so here; an engine of its own takes unquantised weights only."""
    if writing.served and (quantisation != "none" or find_spec("vllm") is None):
        return False
    return device.type == "cuda" or not (writing.served or writing.cache == "compiled")
