"""The pretrained LLM behind a system: by name from the catalogue, by hub id, or from a local folder."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from harness.data.dataset import SourceRecord
from harness.errors import InputError
from harness.home import Home
from harness.llm import attention, shapes
from harness.llm.catalogue import entries
from harness.llm.weights import locate
from harness.progress import Report
from harness.record import ModelRecord

Dtype = Literal["auto", "float32", "bfloat16"]
Quantisation = Literal["none", "nf4", "int8"]


@dataclass(frozen=True)
class Backbone:
    """A causal language model, its tokenizer, and what is recorded of it.

    Attributes:
        model: a ``transformers`` causal LM in evaluation mode.
        tokenizer: its fast tokenizer, which cuts long texts from the left.
        record: name, digest, dtype and quantisation.
    """

    model: Any
    tokenizer: Any
    record: ModelRecord

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return torch.device(self.model.device)


def names() -> tuple[str, ...]:
    """Names of the catalogue's backbones."""
    return tuple(entries())


def describe() -> list[dict[str, str]]:
    """One row a backbone for ``harness list backbones``."""
    return [{"name": name, "title": entry.title, "terms": entry.terms} for name, entry in entries().items()]


def fetch(name: str, home: Home, report: Report = print) -> list[SourceRecord]:
    """Get, verify and convert a backbone.

    Raises:
        InputError: there is no such backbone, or its files are not what they must be.
        WorkError: no source gave it.
    """
    found = locate(name, home, report)
    return [
        SourceRecord(
            name=name, origin=found.origin, size_bytes=found.size_bytes, sha256=found.sha256, pinned=found.pinned
        )
    ]


def digest(name: str, home: Home, report: Report = print) -> str:
    """The digest of a backbone's files (:class:`harness.llm.weights.Weights`); a pinned one need not be fetched for it.

    Raises:
        InputError: there is no such backbone, or it is a shape, which no run is made with.
        WorkError: no source gave it.
    """
    entry = entries().get(name)
    pinned = entry.gguf.sha256 if entry and entry.gguf else None
    return pinned or locate(name, home, report).sha256


def load(
    name: str,
    home: Home,
    device: torch.device,
    *,
    dtype: Dtype = "auto",
    quantisation: Quantisation = "none",
    report: Report = print,
) -> Backbone:
    """Load a backbone for inference or adaptation; only safetensors are read, and no code that comes with them is run.

    Args:
        name: catalogue name, hub id or local folder; a shape of the catalogue is made on the device.
        home: holds the cache.
        device: where the model goes.
        dtype: ``auto`` is bfloat16 where the processor multiplies it natively, else float32.
        quantisation: ``nf4``: 4-bit NormalFloat with double quantisation (Dettmers et al. 2023, section 3), which
            computes in ``dtype``; ``int8``: LLM.int8() (Dettmers et al. 2022).
        report: is told what is fetched or converted.

    Raises:
        InputError: an unknown name, or a folder that holds no causal LM in safetensors.
        WorkError: no source or hub gave the files.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns of kernels that only inference would use
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    computed = torch.float32 if dtype == "float32" or (dtype == "auto" and not has_bfloat16(device)) else torch.bfloat16
    entry = entries().get(name)
    if entry and entry.shape:
        model, tokenizer = shapes.make(entry.shape, device, computed, quantisation)
        sha256 = shapes.digest(entry.shape)
    else:
        found = locate(name, home, report)
        model, tokenizer = _read(name, found.folder, device, computed, quantisation)
        sha256 = found.sha256
    record = ModelRecord(
        name=name, sha256=sha256, dtype=str(computed).removeprefix("torch."), quantisation=quantisation
    )
    if device.type == "cpu":
        attention.use_blocks(model)
    model.eval()
    return Backbone(model, tokenizer, record)


def _read(
    name: str, folder: Path, device: torch.device, computed: torch.dtype, quantisation: Quantisation
) -> tuple[Any, Any]:
    """The model and the tokenizer in a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    safely = {"local_files_only": True, "trust_remote_code": False}
    fewer_bits = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=quantisation == "nf4",
        load_in_8bit=quantisation == "int8",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=computed,
    )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, truncation_side="left", **safely)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=computed,
            device_map={"": device},
            quantization_config=None if quantisation == "none" else fewer_bits,
            use_safetensors=True,
            **safely,
        )
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise InputError(f"backbone {name!r} in {folder}: not a causal language model ({reason})") from None
    return model, tokenizer


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 natively; emulated, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
