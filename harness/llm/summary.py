"""Summaries of histories: what is to be summarised, what came of it, and the summary that needs no LLM."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.llm.words import content_words
from harness.record import ModelRecord

MOST_CATEGORIES, MOST_WORDS = 5, 15  # of a summary without an LLM


@dataclass(frozen=True)
class History:
    """A user's items before a target, oldest first: what a summary may be made of."""

    user: int
    items: tuple[int, ...]


@dataclass(frozen=True)
class Summaries:
    """All summaries that a system used.

    Attributes:
        texts: each history's summary; empty where none came.
        read: the items of each history that the summariser was shown.
        items: texts of the items as the prompts have them, index = item id.
        categories: the items' categories, index = item id.
    """

    texts: dict[History, str]
    read: dict[History, tuple[int, ...]]
    items: Sequence[str]
    categories: Sequence[str]


@runtime_checkable
class Summarises(Protocol):
    """A system that reads summaries of histories."""

    def summaries(self) -> Summaries:
        """All that it had written or found in the cache."""
        ...

    def summarizer_model(self) -> ModelRecord | None:
        """The pretrained model that wrote them, or None where none did."""
        ...


def frequent(template: str, nothing: str, titles: Iterable[str], categories: Iterable[str]) -> str:
    """The control that LLM-TRSR lacks: the most frequent categories and title words; ties in order of first sight.

    Args:
        template: has places for ``{categories}`` and ``{words}``.
        nothing: stands where there are none.
        titles: of the history's items.
        categories: of the history's items.
    """
    kinds = Counter(category for category in categories if category).most_common(MOST_CATEGORIES)
    words = Counter(word for title in titles for word in content_words(title)).most_common(MOST_WORDS)
    if not kinds and not words:
        return ""
    listed = (", ".join(name for name, _ in counted) or nothing for counted in (kinds, words))
    return template.format(categories=next(listed), words=next(listed))
