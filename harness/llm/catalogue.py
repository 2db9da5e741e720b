"""The backbones that the harness knows by name; any other is a hub id or a local folder."""

from functools import cache
from importlib.resources import files

import yaml

from harness.config import Strict
from harness.data.sources import SourceFile
from harness.llm.labels import MOST


class ShapeConfig(Strict):
    """The sizes of a Llama, by the names of ``transformers``."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    max_position_embeddings: int
    rope_theta: float = 10000.0
    tie_word_embeddings: bool = False


class Entry(Strict):
    """A backbone of the catalogue.

    Attributes:
        title: what it is, for people.
        terms: what its owners allow.
        gguf: the file of its weights.
        labels: how many candidates its tokenizer has labels for.
        shape: the sizes of one whose random weights are made whenever it is loaded (``harness.llm.shapes``). With
            neither, it is the one that is made once, on the spot.
    """

    title: str
    terms: str
    gguf: SourceFile | None = None
    labels: int = MOST
    shape: ShapeConfig | None = None


@cache
def entries() -> dict[str, Entry]:
    """All backbones of ``catalogue.yaml`` by name."""
    listed = yaml.safe_load(files("harness.llm").joinpath("catalogue.yaml").read_text("utf-8"))
    return {name: Entry.model_validate(entry) for name, entry in listed.items()}
