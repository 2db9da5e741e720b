import hashlib
import json

import pytest

from harness.config import Strict
from harness.sealed import Sealed


class Inner(Strict):
    number: float = 0.5


class Old(Sealed):
    name: str
    inner: Inner = Inner()
    seal: str = ""


class New(Sealed):
    added: int = 7
    name: str
    inner: Inner = Inner()
    seal: str = ""


KEPT = Old(name="a").sealed()


def test_the_seal_is_the_digest_of_everything_else() -> None:
    rest = b'{"name":"a","inner":{"number":0.5}}'
    assert KEPT.seal == hashlib.sha256(rest).hexdigest()
    assert list(json.loads(KEPT.model_dump_json())) == ["name", "inner", "seal"]
    assert KEPT.is_intact()
    assert KEPT.sealed() == KEPT
    assert not Old(name="a").is_intact()


@pytest.mark.parametrize(("before", "after"), [('"a"', '"b"'), ("0.5", "0.25"), (KEPT.seal, KEPT.seal[::-1])])
def test_an_edit_shows(before: str, after: str) -> None:
    document = KEPT.model_dump_json()
    assert Old.model_validate_json(document).is_intact()
    assert not Old.model_validate_json(document.replace(before, after)).is_intact()


def test_a_field_that_was_added_since_breaks_no_seal() -> None:
    document = KEPT.model_dump_json()
    assert New.model_validate_json(document).is_intact()
    assert not New.model_validate_json(document.replace("{", '{"added":7,', 1)).is_intact()
