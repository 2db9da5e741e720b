"""From titles to the tokens of a prompt; the wording is data, in ``prompts/*.yaml``."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

import yaml

from harness.config import Strict
from harness.llm.labels import LETTERS


class Template(Strict):
    """The wording of a prompt that ranks labelled candidates.

    Attributes:
        template: the whole, with places for ``{history}`` and ``{candidates}``; the answer follows its last character.
        history_item: one item of the history, with places for ``{number}`` (from 1) and ``{title}``.
        candidate: one candidate, with places for its label, ``{letter}``, and ``{title}``.
        separator: what stands between two items.
    """

    template: str
    history_item: str
    candidate: str
    separator: str


def load(name: str) -> Template:
    """The wording in ``prompts/<name>.yaml``."""
    return Template.model_validate(yaml.safe_load(files("harness.llm").joinpath(f"prompts/{name}.yaml").read_text()))


def render(
    template: Template, history: Iterable[str], candidates: Sequence[str], labels: Sequence[str] = LETTERS
) -> str:
    """The prompt for titles of the history, oldest first, and of candidates, no more than there are labels."""
    numbered = (template.history_item.format(number=n, title=title) for n, title in enumerate(history, start=1))
    lettered = (
        template.candidate.format(letter=label, title=title)
        for label, title in zip(labels[: len(candidates)], candidates, strict=True)
    )
    return template.template.format(
        history=template.separator.join(numbered), candidates=template.separator.join(lettered)
    )


def shorten(texts: Sequence[str], tokenizer: Any, max_tokens: int) -> list[str]:
    """Each text up to the end of its token number ``max_tokens``."""
    spans = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return [
        text[: ends[max_tokens - 1][1]] if len(ends) > max_tokens else text
        for text, ends in zip(texts, spans, strict=True)
    ]


def encode(text: str, tokenizer: Any, max_tokens: int) -> list[int]:
    """Token ids of a prompt; a longer one loses its beginning (special tokens stay)."""
    ids: list[int] = tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"]
    return ids
