import json
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, tiny, verbalizer
from harness.llm.backbone import Backbone

CPU = torch.device("cpu")
PROMPT = [list(range(2, 80))]


def test_catalogue_rows() -> None:
    rows = backbone.describe()
    assert backbone.names() == ("smollm2-135m", "tiny", "llama-2-7b-shape", "llama-1b-shape")
    assert [row["name"] for row in rows] == [*backbone.names()]
    assert rows[0]["terms"] == "Apache-2.0"


def test_fetch_tells_what_it_got(home: Home, tiny: Backbone) -> None:
    (record,) = backbone.fetch("tiny", home)
    assert (record.name, record.origin, record.pinned) == ("tiny", "made", False)
    assert record.sha256 == tiny.record.sha256 == backbone.digest("tiny", home)


def test_the_digest_of_a_pinned_backbone_needs_no_download(tmp_path: Path) -> None:
    assert backbone.digest("smollm2-135m", Home(tmp_path)).startswith("b179c952")
    assert not list(tmp_path.iterdir())


def test_auto_dtype_follows_the_processor(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for able, dtype in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: {"avx512_bf16": able})
        assert backbone.load("tiny", home, CPU).record.dtype == dtype


def test_nf4_on_the_cpu_is_close_to_the_full_weights(home: Home, tiny: Backbone) -> None:
    packed = backbone.load("tiny", home, CPU, dtype="float32", quantisation="nf4")
    assert packed.record.quantisation == "nf4"
    assert {str(p.dtype) for n, p in packed.model.named_parameters() if "q_proj" in n} == {"torch.uint8"}
    full, four_bit = (verbalizer.score(llm, PROMPT, range(30, 56), 1)[0] for llm in (tiny, packed))
    assert not torch.equal(full, four_bit)
    assert torch.corrcoef(torch.stack([full, four_bit]))[0, 1] > 0.9


def test_code_that_comes_with_weights_is_never_run(tmp_path: Path, home: Home) -> None:
    folder, ran = tmp_path / "hostile", tmp_path / "ran"
    tiny.build(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "hostile",
        "auto_map": {"AutoConfig": "hostile.Config", "AutoModelForCausalLM": "hostile.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "hostile.py").write_text(f"open({str(ran)!r}, 'w')\n")
    with pytest.raises(InputError, match="hostile: not a causal language model"):
        backbone.load(str(folder), home, CPU)
    assert not ran.exists()


@pytest.mark.parametrize(("quantisation", "bits"), [("none", None), ("nf4", 4), ("int8", 8)])
def test_frozen_weights_have_the_bits_that_are_asked_for(
    home: Home, monkeypatch: pytest.MonkeyPatch, quantisation: backbone.Quantisation, bits: int | None
) -> None:
    given: dict[str, Any] = {}

    class Stopped(Exception):
        pass

    def from_pretrained(folder: Path, **options: Any) -> None:
        given.update(options)
        raise Stopped

    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", from_pretrained)
    with pytest.raises(Stopped):
        backbone.load("tiny", home, torch.device("cpu"), quantisation=quantisation)
    config = given["quantization_config"]
    assert (config is None) == (bits is None)
    assert config is None or (config.load_in_4bit, config.load_in_8bit) == (bits == 4, bits == 8)
    assert (given["use_safetensors"], given["trust_remote_code"]) == (True, False)
