"""Prompts of a given size, of real titles: what the time of a ranking is measured on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.errors import InputError
from harness.llm import labels, prompts
from harness.llm.backbone import Backbone
from harness.llm.prompts import Template
from harness.seeds import rng

SEED = 42  # of the draw of titles


@dataclass(frozen=True)
class SizedPrompts:
    """A batch of prompts of one size.

    Attributes:
        tokens: ids of each prompt.
        empty: the prompt's text without any items; each prompt ends as it does.
        titles: the candidates of each prompt, in their order.
        labels: of the candidates.
        history: items that each prompt names.
        title_tokens: mean tokens of a title, by the backbone's tokenizer.
    """

    tokens: list[list[int]]
    empty: str
    titles: list[list[str]]
    labels: labels.Labels
    history: int
    title_tokens: float

    @property
    def sha256(self) -> str:
        """Digest of all token ids."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()


def sized_titles(
    titles: Sequence[str], tokenizer: Any, tokens: int, count: int, generator: np.random.Generator
) -> list[str]:
    """Texts of so many tokens each: titles drawn with replacement, as many joined as it takes, cut where they are more.

    Args:
        titles: real ones, none of them empty.
        tokenizer: measures them.
        tokens: of each text; where a cut falls into a character, a text has more or fewer.
        count: how many texts.
        generator: draws the titles.
    """
    made = []
    for _ in range(count):
        text = ""
        while len(tokenizer(text, add_special_tokens=False)["input_ids"]) < tokens:
            text = f"{text} {titles[int(generator.integers(len(titles)))]}".strip()
        made.append(text)
    return prompts.shorten(made, tokenizer, tokens)


def sized_prompts(
    backbone: Backbone,
    template: Template,
    titles: Sequence[str],
    *,
    title_tokens: int,
    batch: int,
    history: int,
    candidates: int,
) -> SizedPrompts:
    """Prompts with items whose titles have so many tokens.

    Args:
        backbone: whose tokenizer it is.
        template: the wording.
        titles: real titles to make the items' of.
        title_tokens: of an item.
        batch: how many prompts.
        history: items of each that the user had.
        candidates: items of each to rank.

    Raises:
        InputError: there are no titles, or fewer labels than candidates.
    """
    real = [title for title in titles if title]
    if not real:
        raise InputError("sized prompts: the data set has no titles to make them of")
    tokenizer = backbone.tokenizer
    empty = prompts.render(template, (), ())
    given = labels.find(tokenizer, empty).first(candidates)
    generator = rng(SEED, "sized titles", title_tokens, history, candidates)
    drawn = sized_titles(real, tokenizer, title_tokens, batch * (history + candidates), generator)
    rows = [drawn[start : start + history + candidates] for start in range(0, len(drawn), history + candidates)]
    texts = [prompts.render(template, row[:history], row[history:], given.texts) for row in rows]
    lengths = [len(ids) for ids in tokenizer(drawn, add_special_tokens=False)["input_ids"]]
    return SizedPrompts(
        tokens=[tokenizer(text)["input_ids"] for text in texts],
        empty=empty,
        titles=[row[history:] for row in rows],
        labels=given,
        history=history,
        title_tokens=float(np.mean(lengths)),
    )
