"""GGUF files to folders that transformers loads: de-quantised once, in float32, as safetensors."""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch


def convert(gguf: Path, folder: Path) -> None:
    """Write the model and tokenizer of a GGUF file into ``folder``."""
    import transformers

    options: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    transformers.AutoTokenizer.from_pretrained(gguf.parent, **options).save_pretrained(folder)
    if hasattr(transformers, "GgufConfig"):  # newer versions would keep the blocks packed
        options["quantization_config"] = transformers.GgufConfig(dequantize=True)
    with redirect_stderr(StringIO()):  # a bar that also draws where there is no terminal
        model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **options)
    model.save_pretrained(folder)
