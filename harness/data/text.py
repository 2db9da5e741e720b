"""A text file's lines, whatever its compression, line ends or byte-order mark."""

import gzip
import zlib
from pathlib import Path

from harness.errors import InputError


def read_lines(path: Path) -> list[str]:
    """Lines without their ends; gzip is told by the name's ``.gz``.

    Raises:
        InputError: the file cannot be read, is empty or not UTF-8 (the line is named), or no whole gzip file.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error}); get it again") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; it must be a file that can be read") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text; convert the file to UTF-8") from None
    text = text.replace("\r\n", "\n").rstrip("\n")
    if not text:
        raise InputError(f"{path}: the file is empty")
    return text.split("\n")
