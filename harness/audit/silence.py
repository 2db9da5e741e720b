"""Keeps standard output to what the harness prints: the integer solver's library now and then writes a line there."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def library_output_on_stderr() -> Iterator[None]:
    """While it lasts, what compiled code writes to this process's standard output goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what the C library still holds back
        os.dup2(kept, 1)
        os.close(kept)
