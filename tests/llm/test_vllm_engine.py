import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, lora
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
