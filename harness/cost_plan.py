"""Which costs of ranking a profile measures: ways to rank, on which backbones, at which sizes."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product

import torch

from harness.llm.backbone import Quantisation
from harness.llm.ranking_cost import METHODS, VERBALIZER, Writing
from harness.resolve import profile_file

TITLE_TOKENS = (5, 10, 15, 20, 25, 30, 35, 40)
PAPERS_OWN = (VERBALIZER, "titles")


@dataclass(frozen=True)
class Point:
    """One thing to measure.

    Attributes:
        batch: prompts ranked at once.
        title_tokens: of each item.
        items: of the history, and candidates.
        method: a name of ``harness.llm.ranking_cost.METHODS``.
        repeats: how many timings.
    """

    backbone: str
    quantisation: Quantisation
    batch: int
    title_tokens: int
    items: int
    method: str
    repeats: int


def points(profile: str, device: torch.device) -> Iterator[Point]:
    """What the profile measures, a backbone after the other, the cheap first.

    The paper's two ways to rank are measured at every length of titles, their rivals at those that the profile names.
    Compiled and served ways need a GPU, and the latter vLLM.
    """
    plan = profile_file(profile).costs
    for (name, quantisation), batch, tokens, method in product(plan.backbones, plan.batches, TITLE_TOKENS, METHODS):
        writing = METHODS[method]
        rival = method not in PAPERS_OWN
        if (rival and tokens not in plan.rivals_at) or (writing and not _can(writing, quantisation, device)):
            continue
        yield Point(name, quantisation, batch, tokens, plan.items, method, plan.repeats[method != VERBALIZER])


def _can(writing: Writing, quantisation: Quantisation, device: torch.device) -> bool:
    """Whether a list can be written so here; an engine of its own takes unquantised weights only."""
    if writing.served and (quantisation != "none" or find_spec("vllm") is None):
        return False
    return device.type == "cuda" or not (writing.served or writing.cache == "compiled")
