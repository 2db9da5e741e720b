"""The wording of prompts about items: data in ``prompts/*.yaml``, which a user's own file can replace."""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Formatter
from typing import ClassVar, TypeVar

import yaml
from pydantic import Field, model_validator

from harness.config import Strict, one_line
from harness.data.dataset import Dataset
from harness.errors import InputError
from harness.llm.item_text import ID, field_names

FOLDER = files("harness.llm").joinpath("prompts")
DEFAULT = "trsr_purchases"


def places(template: str) -> set[str]:
    """Names of a template's places; ``{{`` and ``}}`` are braces of the text.

    Raises:
        ValueError: a lone brace, or a place that is not a name alone, as ``{recent[0]}`` or ``{recent:>9}``.
    """
    found = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(template) if name is not None]
    for name, spec, conversion in found:
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"the place {name!r} is not a name alone")
    return {name for name, _, _ in found}


class Question(Strict):
    """A question about one candidate that is answered by yes or no.

    Attributes:
        data_sets: names of the sets that the wording is made for.
        fields: what an item's text is made of, in order.
        shed: fields that go first where a prompt is too long.
        separator: what stands between two items.
        nothing: stands in place of a history, a summary or an item that has no text.
        question: the prompt, with places for ``{recent}`` and ``{candidate}``.
        answers: the two answers, the good one first.
    """

    PLACES: ClassVar[dict[str, frozenset[str]]] = {"question": frozenset({"recent", "candidate"})}

    data_sets: tuple[str, ...] = ()
    fields: tuple[str, ...] = Field(min_length=1)
    shed: tuple[str, ...] = ()
    separator: str
    nothing: str
    question: str
    answers: tuple[str, str]

    def named(self) -> tuple[str, ...]:
        """Every field that it speaks of, once."""
        return tuple(dict.fromkeys((*self.fields, *self.shed)))

    @model_validator(mode="after")
    def _places(self) -> "Question":
        for key, wanted in self.PLACES.items():
            try:
                found = places(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"{key}: {error}; write a place as {{name}}, and a brace of the text twice") from None
            if found != wanted:
                raise ValueError(f"{key} has the places {sorted(found)}; expected {sorted(wanted)}")
        return self

    @property
    def ending(self) -> str:
        """What stands behind the question's last place."""
        after = ""
        for text, name, _, _ in Formatter().parse(self.question):
            after = after + text if name is None else ""
        return after


class Wording(Question):
    """The prompts of LLM-TRSR (Zheng et al. 2024, section 3): summaries, and the question that they serve.

    Attributes:
        categories: fields that say what kind of item it is.
        summarize: asks for a summary of one block, ``{items}``.
        combine: asks for one summary of the blocks' ``{summaries}``.
        update: asks for the ``{summary}`` so far, brought up to date by one more block, ``{items}``.
        heading: where a summary is cut if the model goes on by itself to the next turn.
        frequent: the summary without an LLM, of ``{categories}`` and ``{words}``.
    """

    PLACES: ClassVar[dict[str, frozenset[str]]] = {
        "summarize": frozenset({"items"}),
        "combine": frozenset({"summaries"}),
        "update": frozenset({"summary", "items"}),
        "frequent": frozenset({"categories", "words"}),
        "question": frozenset({"summary", "recent", "candidate"}),
    }

    categories: tuple[str, ...] = Field(min_length=1)
    summarize: str
    combine: str
    update: str
    heading: str = Field(min_length=1)
    frequent: str

    def named(self) -> tuple[str, ...]:
        """Every field that it speaks of, once."""
        return tuple(dict.fromkeys((*super().named(), *self.categories)))


Prompts = TypeVar("Prompts", bound=Question)


def locate(name: str | None, data_set: str) -> Traversable | Path:
    """The file of a wording.

    Args:
        name: a file in ``prompts/`` without its ending, or a user's file; None: the one that names the data set, and
            where none does, the one for purchases.
        data_set: name of the set that is asked about.

    Raises:
        InputError: there is none.
    """
    known = {file.name.removesuffix(".yaml"): file for file in FOLDER.iterdir() if file.name.startswith("trsr")}
    if name is None:
        made_for = (file for file in known.values() if data_set in yaml.safe_load(file.read_text("utf-8"))["data_sets"])
        return next(made_for, known[DEFAULT])
    file = FOLDER.joinpath(f"{name}.yaml")
    if file.is_file():
        return file
    if Path(name).is_file():
        return Path(name)
    raise InputError(f"prompts={name}: no such file; known: {', '.join(sorted(known))}, or name a file of your own")


def digest(name: str | None, data_set: str) -> str:
    """The sha256 of the file of a wording."""
    return hashlib.sha256(locate(name, data_set).read_bytes()).hexdigest()


def load(kind: type[Prompts], name: str | None, data_set: str) -> Prompts:
    """Read and check a wording; all that stands in its file is text, so that ``yes`` is no truth value.

    Raises:
        InputError: there is none, or the file lacks something or has a key or a place too many.
    """
    file = locate(name, data_set)
    try:
        return kind.model_validate(yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader))
    except RecursionError:
        raise InputError(f"{file}: nested too deeply; expected keys with texts or lists of texts") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{file}: {one_line(error)}") from None


def lacking(words: Question, name: str | None, dataset: Dataset) -> list[str]:
    """The fields that a wording names and a data set lacks: one wording may serve several sets.

    Raises:
        InputError: it lacks them all but the id, so that no item would have a text.
    """
    known = field_names(dataset)
    if not set(words.fields) & set(known) - {ID}:
        raise InputError(
            f"{locate(name, dataset.name)}: fields: {', '.join(words.fields)}: {dataset.name} has none of them that "
            f"says anything of an item; it has: {', '.join(known)}"
        )
    return [field for field in words.named() if field not in known]
