"""The backbones that the harness knows by name; any other is a hub id or a local folder."""

from functools import cache
from importlib.resources import files

import yaml

from harness.config import Strict
from harness.data.sources import SourceFile


class Entry(Strict):
    """A backbone of the catalogue.

    Attributes:
        title: what it is, for people.
        terms: what its owners allow.
        gguf: the file of its weights; None for the one that is made on the spot.
    """

    title: str
    terms: str
    gguf: SourceFile | None = None


@cache
def entries() -> dict[str, Entry]:
    """All backbones of ``catalogue.yaml`` by name."""
    listed = yaml.safe_load(files("harness.llm").joinpath("catalogue.yaml").read_text("utf-8"))
    return {name: Entry.model_validate(entry) for name, entry in listed.items()}
