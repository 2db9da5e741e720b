"""Shapes at a size that a test can make."""

from pathlib import Path

import pytest
import torch

from harness.home import Home
from harness.llm import backbone, catalogue, labels, shapes, verbalizer
from harness.llm.backbone import Backbone
from harness.llm.catalogue import Entry, ShapeConfig
from tests.command_line import Harness

CPU = torch.device("cpu")
SMALL = ShapeConfig(
    hidden_size=128,
    intermediate_size=192,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=1000,
    max_position_embeddings=256,
)
PROMPT = [list(range(2, 80))]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue with a shape ``small``."""
    known = catalogue.entries() | {"small": Entry(title="small", terms="none", shape=SMALL)}
    for module in (backbone, catalogue):
        monkeypatch.setattr(module, "entries", lambda: known)
    monkeypatch.setattr("harness.llm.weights.entries", lambda: known)


@pytest.mark.usefixtures("small")
def test_a_shape_is_made_in_its_dtype_and_nothing_is_written(tmp_path: Path) -> None:
    made = backbone.load("small", Home(tmp_path), CPU, dtype="bfloat16")
    assert {(p.dtype, p.device) for p in made.model.parameters()} == {(torch.bfloat16, CPU)}
    assert made.record.model_dump() == {
        "name": "small",
        "sha256": shapes.digest(SMALL),
        "dtype": "bfloat16",
        "quantisation": "none",
    }
    assert verbalizer.score(made, PROMPT, range(30, 56), 1).isfinite().all()
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("small")
def test_a_shape_has_the_same_weights_whenever_it_is_made(tmp_path: Path) -> None:
    a = backbone.load("small", Home(tmp_path), CPU, dtype="float32")
    torch.rand(1)
    b = backbone.load("small", Home(tmp_path), CPU, dtype="float32")
    assert all(torch.equal(x, y) for x, y in zip(a.model.parameters(), b.model.parameters(), strict=True))
    assert shapes.digest(SMALL) != shapes.digest(SMALL.model_copy(update={"vocab_size": 1001}))


@pytest.mark.usefixtures("small")
def test_nf4_is_what_loading_the_same_weights_in_nf4_gives(tmp_path: Path) -> None:
    full: Backbone = backbone.load("small", Home(tmp_path), CPU, dtype="float32")
    full.model.set_attn_implementation("sdpa")
    full.model.save_pretrained(tmp_path / "kept")
    full.tokenizer.save_pretrained(tmp_path / "kept")
    packed = backbone.load("small", Home(tmp_path), CPU, dtype="float32", quantisation="nf4")
    read = backbone.load(str(tmp_path / "kept"), Home(tmp_path), CPU, dtype="float32", quantisation="nf4")
    kinds = [[type(module) for module in llm.model.modules()] for llm in (packed, read)]
    assert kinds[0] == kinds[1]
    scores = [verbalizer.score(llm, PROMPT, range(30, 56), 1) for llm in (packed, read, full)]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


@pytest.mark.usefixtures("small")
def test_its_tokenizer_has_a_hundred_labels_and_a_token_a_byte(tmp_path: Path) -> None:
    tokenizer = backbone.load("small", Home(tmp_path), CPU).tokenizer
    assert len(labels.find(tokenizer, "### Response:\n")) == 100
    assert len(tokenizer("Heat (1995)")["input_ids"]) == 11
    assert len(tokenizer) <= min(entry.shape.vocab_size for entry in catalogue.entries().values() if entry.shape)


@pytest.mark.parametrize("name", ["llama-2-7b-shape", "llama-1b-shape"])
def test_the_published_sizes_have_as_many_weights_as_published(name: str) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = catalogue.entries()[name].shape
    assert shape is not None
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**shape.model_dump()))
    published = {"llama-2-7b-shape": 6_738_415_616, "llama-1b-shape": 1_100_048_384}
    assert model.num_parameters() == published[name]


def test_a_shape_can_be_neither_fetched_nor_run(harness: Harness, films: Path) -> None:
    for words in (
        ["fetch", "llama-1b-shape"],
        ["run", "llamarec", "--dataset", str(films), "--profile", "smoke", "--backbone", "llama-1b-shape"],
    ):
        status, _, error = harness(*words)
        assert status == 2
        assert "'llama-1b-shape' is a shape: its weights are random" in error.splitlines()[-1]
