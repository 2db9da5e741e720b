"""The sha256 of a file."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hexadecimal digest of the file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
