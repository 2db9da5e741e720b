"""Backbones that have the shape of a published model and random weights, made on the device: they can only be timed.

How long a model takes does not depend on the values of its weights. Nothing is downloaded, nothing written to disk.
"""

import hashlib
import json
from string import ascii_uppercase
from typing import Any

import torch
from torch import nn

from harness.llm import tiny
from harness.llm.catalogue import ShapeConfig
from harness.seeds import seeded

SEED = 0
PAIRS = tuple((a, b) for a in ascii_uppercase for b in ascii_uppercase)  # with them a hundred labels are a token each


def digest(shape: ShapeConfig) -> str:
    """The sha256 of a shape's sizes and of the seed of its weights."""
    return hashlib.sha256(json.dumps([shape.model_dump(), SEED], sort_keys=True).encode()).hexdigest()


def make(shape: ShapeConfig, device: torch.device, dtype: torch.dtype, quantisation: str) -> tuple[Any, Any]:
    """A model with random weights in ``dtype``, or their NF4, on the device; and a tokenizer with a token a byte.

    The head is not quantised, as in a model that is loaded in NF4. While layers are quantised, the weights in ``dtype``
    must fit on the device too.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tiny.byte_tokenizer(PAIRS)
    tokenizer.truncation_side = "left"
    tokens = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": None, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model("llama", **shape.model_dump(), **tokens)
    with seeded(SEED, "shape", device=device), torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]
    if quantisation == "nf4":
        _quantise(model.base_model, dtype)
    return model, tokenizer


def _quantise(module: nn.Module, computed: torch.dtype) -> None:
    """Put NF4 with double quantisation in place of all linear maps in a module, one after the other."""
    from bitsandbytes.nn import Linear4bit, Params4bit  # type: ignore[attr-defined]

    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            packed = Linear4bit(  # type: ignore[no-untyped-call]
                child.in_features,
                child.out_features,
                bias=False,
                compute_dtype=computed,
                quant_type="nf4",
                device="meta",
            )
            packed.weight = Params4bit(child.weight.data, requires_grad=False, quant_type="nf4", module=packed)
            setattr(module, name, packed.to(child.weight.device))
        else:
            _quantise(child, computed)
