"""Documents with a seal, so that an edit by hand shows."""

import hashlib
from typing import Self

from harness.config import Strict


class Sealed(Strict):
    """A document whose last field, ``seal: str = ""``, is the sha256 of all the others.

    Fields that a kept file lacks do not count, so that more may be added.
    """

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
