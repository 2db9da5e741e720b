"""A written list read as a ranking of the candidates; nothing here knows which of them is the target."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.llm.ranked_list import SEPARATORS, Output, one_line

MARK = re.compile(r"(?:\(\w{1,3}\)|\d{1,3}[.)]|[-*]) ")  # "(A) ", "1. ", "- ": as prompts and lists number items


@dataclass(frozen=True)
class Ranking:
    """What a list says of the candidates.

    Attributes:
        rank: of each candidate, from 1; those that are not named share the last place.
        named: candidates that the list names.
        repeated: entries that name a candidate again.
        unparsed: entries that are only the beginning of a candidate's text, such as one that was cut off.
        invented: entries that are nothing of the sort.
    """

    rank: tuple[int, ...]
    named: int
    repeated: int
    unparsed: int
    invented: int


def parse(text: str, candidates: Sequence[str], output: Output) -> Ranking:
    """Read a list; an entry is a candidate's text to the letter, but for spaces and a mark such as ``(A)`` before it.

    Candidates with the same text cannot be told apart: an entry names all of them, and they share its place.

    Args:
        text: what was written behind the prompt.
        candidates: titles or labels, in the order shown.
        output: which of the two the list is of.
    """
    texts = [one_line(candidate) for candidate in candidates]
    known, places = set(texts), dict[str, int]()
    repeated = unparsed = invented = 0
    for piece in text.split(SEPARATORS[output].strip(" ")):
        entry = one_line(piece)
        if entry not in known:
            entry = MARK.sub("", entry, count=1) if MARK.match(entry) else entry
        if entry in places:
            repeated += 1
        elif entry in known and entry:
            places[entry] = len(places) + 1
        elif entry and any(one.startswith(entry) for one in known):
            unparsed += 1
        elif entry:
            invented += 1
    ranked = tuple(places.get(one, len(texts)) for one in texts)
    return Ranking(ranked, sum(one in places for one in texts), repeated, unparsed, invented)
