"""Data sets: bytes from a source, checked; read by a reader into a Dataset; split by the task."""

from harness.data.catalogue import fetch, load, names

__all__ = ["fetch", "load", "names"]
