"""Folders that several processes read and write at once."""

import os
from fnmatch import filter as matching
from pathlib import Path


def below(folder: Path, pattern: str) -> list[Path]:
    """The files of a name in a folder, at any depth, sorted; hidden ones and hidden folders' are still being written.

    A folder that another process renames meanwhile is passed over.

    Args:
        folder: where to look; need not exist.
        pattern: of the file's name, e.g. ``*.json``.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in matching(names, pattern) if not name.startswith(".")]
    return sorted(found)


def write_whole(path: Path, text: str) -> Path:
    """Write a file whole or not at all, whoever writes the same one and whatever fails; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)
    found = temporary.replace(path)
    sync(path.parent)
    return found


def sync(path: Path) -> None:
    """Have the system write a file or a folder's names to the disk now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
