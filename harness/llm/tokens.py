"""Texts as tokens of a backbone, and which tokens a text is behind another one."""

from collections.abc import Sequence
from typing import Any

from harness.errors import InputError

Tokens = Sequence[int]


def behind(tokenizer: Any, before: str, text: str) -> list[int]:
    """The tokens of a text right behind another one.

    Raises:
        InputError: the two melt into one another.
    """
    context, whole = (tokenizer(each)["input_ids"] for each in (before, before + text))
    if whole[: len(context)] != context:
        raise InputError(f"backbone {tokenizer.name_or_path}: {text!r} behind {before[-20:]!r} melts into it")
    tokens: list[int] = whole[len(context) :]
    return tokens
