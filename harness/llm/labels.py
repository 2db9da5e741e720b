"""Labels of candidates: texts of one token each, so that one forward pass scores them all."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from harness.errors import InputError

LETTERS = ascii_uppercase
MOST = 100


@dataclass(frozen=True)
class Labels:
    """Labels in the order in which candidates get them.

    Attributes:
        texts: what stands in a prompt.
        tokens: the token that each is behind the prompt; no two are the same.
    """

    texts: tuple[str, ...]
    tokens: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def first(self, count: int) -> "Labels":
        """The labels of so many candidates.

        Raises:
            InputError: there are fewer.
        """
        if count > len(self):
            raise InputError(f"the backbone's tokenizer has labels for at most {len(self)} candidates, not {count}")
        return Labels(self.texts[:count], self.tokens[:count])


def find(tokenizer: Any, prompt: str) -> Labels:
    """Up to 100 labels of one token right behind ``prompt``, found by tokenising it with and without them.

    The letters A to Z come first, as in LlamaRec (section 3.2.2); then, of AA to ZZ, a to z and 0 to 9 in that order,
    those that the tokenizer keeps whole.

    Raises:
        InputError: a letter A to Z is not exactly one more token there.
    """
    before = tokenizer(prompt)["input_ids"]
    found: dict[str, int] = {}
    for text in _texts():
        after = tokenizer(prompt + text)["input_ids"]
        alone = len(after) == len(before) + 1 and after[:-1] == before
        if alone and after[-1] not in found.values():
            found[text] = after[-1]
        elif text in {*LETTERS}:
            raise InputError(
                f"backbone {tokenizer.name_or_path}: the letter {text!r} behind {prompt[-20:]!r} is not one token of "
                "its own; a verbalizer needs a tokenizer that keeps it apart"
            )
        if len(found) == MOST:
            break
    return Labels(tuple(found), tuple(found.values()))


def _texts() -> Iterator[str]:
    yield from LETTERS
    yield from map("".join, product(LETTERS, LETTERS))
    yield from ascii_lowercase
    yield from digits
