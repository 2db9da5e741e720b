"""Low-rank adapters (Hu et al. 2022) on a frozen backbone, through peft."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.config import Settings
from harness.dropout import Dropout
from harness.errors import InputError
from harness.llm.backbone import Backbone
from harness.seeds import seeded
from harness.system import expect

FAMILIES = {  # Llama's name -> a family's own
    "gpt_neox": {
        "q_proj": "query_key_value",
        "k_proj": "query_key_value",
        "v_proj": "query_key_value",
        "o_proj": "dense",
    }
}


class LoraConfig(Settings):
    """Where adapters go and how large they are; the defaults are LlamaRec's (section 4.0.4).

    Attributes:
        lora_rank: inner dimension r.
        lora_alpha: scale; the adapter's output counts alpha / r times.
        lora_dropout: on the adapter's input.
        lora_targets: Llama's names of the linear layers that get one; another family's layers of the same purpose are
            found by them (``FAMILIES``).
    """

    lora_rank: int = Field(8, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    lora_targets: tuple[str, ...] = ("q_proj", "v_proj")


def add(backbone: Backbone, settings: LoraConfig, seed: int) -> None:
    """Freeze the backbone and put adapters, in float32, into its model; their initial output is 0.

    Raises:
        InputError: the model has no layers of those names.
    """
    import peft

    config = peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=targets(backbone.model.config.model_type, settings.lora_targets),
    )
    for layer in backbone.model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):  # bitsandbytes would repack it, and pass no gradient back
            layer.support_avx512bf16_for_cpu = False
    with seeded(seed, "adapter", device=backbone.device), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's use of transformers
        try:
            peft.get_peft_model(backbone.model, config)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"lora_targets: backbone {backbone.record.name}: {reason}") from None
    if backbone.device.type == "cpu":
        for name, layer in list(backbone.model.named_modules()):
            if isinstance(layer, nn.Dropout) and ".lora_dropout." in name:
                backbone.model.set_submodule(name, Dropout(layer.p))


def targets(family: str, named: Sequence[str]) -> list[str]:
    """The layers of a family of models that stand for those of Llama, each once; a name without such a layer stays.

    LLM-TRSR also tunes Pythia, which is a GPT-NeoX (Figure 10), and does not say where: here the layer that holds
    query, key and value in one stands for each of them.
    """
    own = FAMILIES.get(family, {})
    return list(dict.fromkeys(own.get(name, name) for name in named))


def adapter(model: Any) -> dict[str, Tensor]:
    """The adapter's tensors by name; they are the ones that are trained."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def merge(model: Any) -> None:
    """Fold the adapters into the weights beneath, as for serving; the model is as it was before :func:`add` again."""
    from peft.tuners.lora import LoraLayer

    for name, layer in list(model.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            model.set_submodule(name, layer.get_base_layer())


def take(model: Any, weights: dict[str, Tensor]) -> None:
    """Give the adapter the weights of a tuned one.

    Raises:
        InputError: they are another model's.
    """
    own = adapter(model)
    expect(weights, {name: value.shape for name, value in own.items()})
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(weights[name])
