"""Free lists written by vLLM (Kwon et al. 2023), a serving engine of its own: an optional extra, on CUDA alone."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from harness.errors import InputError
from harness.llm.backbone import Backbone
from harness.llm.ranked_list import Entries
from harness.llm.tokens import Tokens

Write = Callable[[Sequence[Tokens], Sequence[Entries]], list[list[int]]]
MEMORY_SHARE = 0.5  # of the device's; the backbone that the engine was made from may still be there


def engine(backbone: Backbone, folder: Path) -> Write:
    """Give a backbone to vLLM.

    Args:
        backbone: weights, an adapter merged into them, and tokenizer; unquantised.
        folder: an empty one, into which they are written for vLLM to read.

    Returns:
        A function that writes the lists of any prompts as :func:`harness.llm.ranked_list.write` does unconstrained.

    Raises:
        InputError: vLLM is not installed, there is no GPU, or the weights are quantised.
    """
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # else another process on the card is its own
    try:
        import vllm
    except ImportError:
        raise InputError("vllm: is not installed; pip install '.[vllm]' in the harness's checkout, with CUDA") from None
    if backbone.device.type != "cuda":
        raise InputError(f"vllm: needs CUDA; the backbone is on {backbone.device}")
    export(backbone, folder)
    end = backbone.tokenizer.eos_token_id
    served = vllm.LLM(
        str(folder),
        dtype=backbone.record.dtype,
        seed=0,
        enable_prefix_caching=False,  # the same prompts are timed again and again
        generation_config="vllm",
        gpu_memory_utilization=MEMORY_SHARE,
    )

    def write(prompts: Sequence[Tokens], offered: Sequence[Entries]) -> list[list[int]]:
        greedy = [
            vllm.SamplingParams(temperature=0.0, max_tokens=each.joint_length(), stop_token_ids=[end], detokenize=False)
            for each in offered
        ]
        asked = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        return [list(answer.outputs[0].token_ids) for answer in served.generate(asked, greedy, use_tqdm=False)]

    return write


def export(backbone: Backbone, folder: Path) -> None:
    """Write a backbone as a folder that transformers and vLLM load.

    Raises:
        InputError: the weights are quantised.
    """
    if backbone.record.quantisation != "none":
        raise InputError(f"backbone {backbone.record.name}: vLLM is given unquantised weights; quantisation=none")
    model = backbone.model
    weights: dict[str, Tensor] = {name: value.contiguous() for name, value in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    model.config.save_pretrained(folder)
    backbone.tokenizer.save_pretrained(folder)
