"""Documents with a seal, so that an edit by hand shows."""

import hashlib
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from harness.config import Strict, one_line
from harness.errors import InputError


class Sealed(Strict):
    """A document whose last field, ``seal: str = ""``, is the sha256 of all the others.

    Fields that a kept file lacks do not count, so that more may be added.
    """

    @classmethod
    def read(cls, path: Path, what: str, remedy: str) -> Self:
        """A kept document.

        Args:
            path: its file.
            what: what it should be, e.g. ``a search``.
            remedy: what to do where it is not.

        Raises:
            InputError: it is none, or was edited.
        """
        try:
            found = cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not {what} of this harness ({one_line(error)}); {remedy}") from None
        if not found.is_intact():
            raise InputError(f"{path}: changed after it was finished; {remedy}")
        return found

    def digest(self) -> str:
        """What ``seal`` must be."""
        return hashlib.sha256(self.model_dump_json(exclude={"seal"}, exclude_unset=True).encode()).hexdigest()

    def sealed(self) -> Self:
        """The document as it is kept: every field written out, and the seal."""
        whole = self.model_validate_json(self.model_dump_json())
        return whole.model_copy(update={"seal": whole.digest()})

    def is_intact(self) -> bool:
        """Whether the seal is the one of this document."""
        return self == self.model_copy(update={"seal": self.digest()})
