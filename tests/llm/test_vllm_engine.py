import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, lora, vllm_engine
from harness.llm.backbone import Backbone
from harness.llm.lora import LoraConfig
from harness.llm.vllm_engine import engine, export

PROMPT = torch.tensor([[40, 50, 60, 70]])


def test_an_exported_backbone_has_its_adapter_in_the_weights(tiny: Backbone, home: Home, tmp_path: Path) -> None:
    with torch.inference_mode():
        bare = tiny.model(input_ids=PROMPT).logits
    lora.add(tiny, LoraConfig(), seed=1)
    with torch.no_grad():
        for value in lora.adapter(tiny.model).values():
            value.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        adapted = tiny.model.eval()(input_ids=PROMPT).logits
    lora.merge(tiny.model)
    export(tiny, tmp_path)
    again = backbone.load(str(tmp_path), home, torch.device("cpu"), dtype="float32")
    with torch.inference_mode():
        exported = again.model.eval()(input_ids=PROMPT).logits
    torch.testing.assert_close(exported, adapted, rtol=1e-4, atol=1e-4)
    assert (exported - bare).abs().max() > 0.1
    assert again.tokenizer("Ab 1")["input_ids"] == tiny.tokenizer("Ab 1")["input_ids"]


def test_it_needs_vllm_and_cuda(tiny: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(InputError, match="vllm: is not installed; pip install"):
        engine(tiny, tmp_path)
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace())
    with pytest.raises(InputError, match="vllm: needs CUDA; the backbone is on cpu"):
        engine(tiny, tmp_path)


def test_quantised_weights_are_refused(home: Home, tmp_path: Path) -> None:
    llm = backbone.load("tiny", home, torch.device("cpu"), quantisation="nf4")
    with pytest.raises(InputError, match="tiny: vLLM is given unquantised weights"):
        export(llm, tmp_path)


def test_it_is_asked_for_greedy_lists_no_longer_than_what_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(asked: list[dict[str, list[int]]], sampling: list[dict[str, object]], **_: object) -> list[object]:
        assert asked == [{"prompt_token_ids": [4, 5]}, {"prompt_token_ids": [6]}]
        assert [each["max_tokens"] for each in sampling] == [7, 9]
        assert all((each["temperature"], each["stop_token_ids"]) == (0.0, [1]) for each in sampling)
        return [SimpleNamespace(outputs=[SimpleNamespace(token_ids=(own, 1))]) for own in (8, 9)]

    served = SimpleNamespace(LLM=lambda *_, **options: SimpleNamespace(generate=generate), SamplingParams=dict)
    monkeypatch.setitem(sys.modules, "vllm", served)
    monkeypatch.setattr(vllm_engine, "export", lambda *_: None)
    on_a_gpu: Any = SimpleNamespace(
        device=torch.device("cuda"),
        tokenizer=SimpleNamespace(eos_token_id=1),
        record=SimpleNamespace(dtype="bfloat16"),
    )
    offered: Any = [SimpleNamespace(joint_length=lambda longest=longest: longest) for longest in (7, 9)]
    assert engine(on_a_gpu, tmp_path)([(4, 5), [6]], offered) == [[8, 1], [9, 1]]
