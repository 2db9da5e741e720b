"""Where weights come from, with a real GGUF file that is written here."""

import json
from fnmatch import fnmatch
from pathlib import Path

import gguf
import huggingface_hub.constants
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.data.digest import sha256_of
from harness.data.sources import SourceFile
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.llm import backbone, tiny, weights
from harness.llm.catalogue import Entry

CPU = torch.device("cpu")
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def quiet(line: str) -> None:
    pass


def interleaved(weight: Tensor, heads: int) -> Tensor:
    """Rows of a query or key projection in the order that GGUF keeps them in (llama.cpp's rotary layout)."""
    return weight.view(heads, 2, -1, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def write_gguf(folder: Path, path: Path) -> None:
    """The model of :func:`harness.llm.tiny.build` as a GGUF file in float32."""
    config = json.loads((folder / "config.json").read_text())
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
    writer.add_token_types([3, 3] + [1] * (len(vocabulary) - 2))
    writer.add_token_scores([0.0] * len(vocabulary))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(0)
    for name, value in load_file(folder / "model.safetensors").items():
        if "q_proj" in name:
            value = interleaved(value, config["num_attention_heads"])
        elif "k_proj" in name:
            value = interleaved(value, config["num_key_value_heads"])
        if name.startswith("model.layers."):
            _, _, layer, *rest = name.removesuffix(".weight").split(".")
            renamed = f"blk.{layer}.{NAMES['.'.join(rest)]}.weight"
        else:
            renamed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[
                name
            ]
        writer.add_tensor(renamed, value.numpy().astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose mirror holds the backbone ``packed``, a GGUF file of the tiny model."""
    tiny.build(tmp_path / "tiny")
    file = tmp_path / "mirror" / "packed" / "packed.gguf"
    file.parent.mkdir(parents=True)
    write_gguf(tmp_path / "tiny", file)
    source = SourceFile(name="packed.gguf", size_bytes=file.stat().st_size, sha256=sha256_of(file))
    entry = Entry(title="packed", terms="none", gguf=source)
    monkeypatch.setattr(weights, "entries", lambda: {"packed": entry})
    monkeypatch.setattr(backbone, "entries", lambda: {"packed": entry})
    return Home(tmp_path / "home", tmp_path / "mirror")


def test_a_gguf_backbone_computes_what_the_original_does(mirrored: Home, tmp_path: Path) -> None:
    told: list[str] = []
    packed = backbone.load("packed", mirrored, CPU, dtype="float32", report=told.append)
    original = backbone.load(str(tmp_path / "tiny"), mirrored, CPU, dtype="float32")
    ids = torch.arange(2, 60)[None]
    with torch.inference_mode():
        torch.testing.assert_close(packed.model(input_ids=ids).logits, original.model(input_ids=ids).logits)
    text = "### Response:\nA"
    assert packed.tokenizer(text)["input_ids"] == original.tokenizer(text)["input_ids"]
    assert packed.record.sha256 == sha256_of(tmp_path / "mirror" / "packed" / "packed.gguf")
    assert told == ["de-quantising packed.gguf once, about half a minute"]
    assert backbone.digest("packed", mirrored) == packed.record.sha256


def test_a_converted_backbone_is_used_again_and_checked(mirrored: Home) -> None:
    first = weights.locate("packed", mirrored, quiet)
    (mirrored.mirror / "packed" / "packed.gguf").unlink()
    assert weights.locate("packed", mirrored, quiet) == first
    tensors = load_file(first.folder / "model.safetensors")
    tensors["model.norm.weight"] += 1
    save_file(tensors, first.folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="packed: altered since it was made; delete the folder"):
        weights.locate("packed", mirrored, quiet)


def test_a_conversion_that_fails_leaves_nothing_that_is_taken_for_a_backbone(
    mirrored: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(weights.gguf, "convert", half)
        with pytest.raises(WorkError, match="No space left on device; --home must name a writable folder"):
            weights.locate("packed", mirrored, quiet)
    assert weights.locate("packed", mirrored, quiet).folder.is_dir()


def test_tiny_is_the_same_everywhere(tmp_path: Path) -> None:
    first, second = (weights.locate("tiny", Home(tmp_path / name), quiet) for name in "ab")
    assert first.sha256 == second.sha256
    assert first.folder != second.folder


def test_pickled_weights_are_refused(tmp_path: Path, home: Home) -> None:
    tiny.build(tmp_path / "model")
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    torch.save(tensors, tmp_path / "model" / "pytorch_model.bin")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no \*.safetensors; weights in other formats"):
        backbone.load(str(tmp_path / "model"), home, CPU)


def test_an_unreachable_hub_is_one_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WorkError, match="the model hub did not give it") as failure:
        backbone.load("meta-llama/Llama-2-7b-hf", home, CPU, report=quiet)
    assert "\n" not in str(failure.value)


def test_an_unknown_name_lists_the_known_ones(home: Home) -> None:
    with pytest.raises(
        InputError,
        match="backbone 'llama' is unknown; known: smollm2-135m, tiny, llama-2-7b-shape, llama-1b-shape, a folder",
    ):
        weights.locate("llama", home, quiet)
    with pytest.raises(InputError, match="backbone '' is unknown"):
        weights.locate("", home, quiet)


def test_split_weights_are_digested_in_order(tmp_path: Path) -> None:
    for name, value in (("model-1.safetensors", 1.0), ("model-2.safetensors", 2.0)):
        save_file({"x": torch.full((2,), value)}, tmp_path / name)
    found = weights.locate(str(tmp_path), Home(tmp_path), quiet)
    (tmp_path / "model-1.safetensors").rename(tmp_path / "model-3.safetensors")
    assert found.sha256 != weights.locate(str(tmp_path), Home(tmp_path), quiet).sha256


def test_a_hub_gives_nothing_pickled_and_no_code(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot(name: str, *, allow_patterns: list[str], **_: object) -> str:
        files = [
            "model.safetensors",
            "config.json",
            "tokenizer.model",
            "pytorch_model.bin",
            "x.pt",
            "x.pkl",
            "model.py",
        ]
        assert name == "owner/model"
        assert [name for name in files if any(fnmatch(name, each) for each in allow_patterns)] == files[:3]
        save_file({"x": torch.zeros(2)}, tmp_path / "model.safetensors")
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    found = weights.locate("owner/model", home, quiet)
    assert (found.folder, found.origin) == (tmp_path, "hub")


def test_a_folders_other_files_are_digested_too(tmp_path: Path) -> None:
    def digest() -> str:
        return weights.locate(str(tmp_path), Home(tmp_path), quiet).sha256

    save_file({"x": torch.zeros(2)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"rope_theta": 1e4}')
    (tmp_path / "pytorch_model.bin").touch()
    before = digest()
    (tmp_path / "pytorch_model.bin").unlink()  # never read
    assert digest() == before
    (tmp_path / "config.json").write_text('{"rope_theta": 1e5}')
    assert digest() != before


def test_a_converted_backbone_that_is_not_the_catalogues_is_refused(
    mirrored: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights.locate("packed", mirrored, quiet)
    source = weights.entries()["packed"].gguf.model_copy(update={"sha256": "0" * 64})
    newer = Entry(title="packed", terms="none", gguf=source)
    monkeypatch.setattr(weights, "entries", lambda: {"packed": newer})
    with pytest.raises(InputError, match="packed: made from another file than packed's; delete the folder"):
        weights.locate("packed", mirrored, quiet)


@pytest.mark.parametrize("name", ["./nothing", "../nothing", "/no/folder", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(home: Home, name: str) -> None:
    with pytest.raises(InputError, match="is unknown"):
        weights.locate(name, home, quiet)
