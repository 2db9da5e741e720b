"""The device that the benchmarks use, a backbone on it, and what it reaches at best."""

import os
from functools import cache

import torch

from harness import environment, home, roofline
from harness.llm import backbone
from harness.llm.backbone import Backbone, Quantisation
from harness.roofline import Ceilings

PROFILE = os.environ.get("LLMREC_PROFILE", "smoke")
DEVICE = torch.device(environment.check_device(None))


_loaded: dict[tuple[str, Quantisation], Backbone] = {}


def load(name: str, quantisation: Quantisation) -> Backbone:
    """The backbone; the one before it makes room first."""
    wanted = (name, quantisation)
    if wanted not in _loaded:
        _loaded.clear()
        _loaded[wanted] = backbone.load(
            name, home.resolve(), DEVICE, quantisation=quantisation, report=lambda line: None
        )
    return _loaded[wanted]


@cache
def ceilings(dtype: str) -> Ceilings:
    """Of this machine, measured once a dtype."""
    return roofline.measure_ceilings(DEVICE, getattr(torch, dtype))
