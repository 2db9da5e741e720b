"""The words of a text that carry its subject, for the statistics of summaries and for the summary without an LLM."""

import re
from collections.abc import Iterable

WORD = re.compile(r"[^\W\d_]{3,}")  # three letters or more, of any alphabet
FUNCTION_WORDS = """
about after again all also and any are been being both but can could did does doing down each for from had has have
having her here hers him his how into its just more most nor not now off once only other our out over own same she
should some such than that the their them then there these they this those through too under until upon was were what
when where which while who whom why will with would you your
"""
STOP = frozenset(FUNCTION_WORDS.split())


def content_words(text: str) -> list[str]:
    """The words of at least three letters that are no function words, in lower case and in their order."""
    return [word for word in WORD.findall(text.casefold()) if word not in STOP]


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """All content words of some texts."""
    return frozenset(word for text in texts for word in content_words(text))
