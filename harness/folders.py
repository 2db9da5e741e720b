"""Folders that several processes read and write at once."""

import os
import shutil
from fnmatch import filter as matching
from pathlib import Path

from harness.errors import InputError


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


def check_folder(path: Path, option: str = "") -> None:
    """Refuse a path at which no folder can be made.

    Args:
        path: of the folder.
        option: that named it, for the error.

    Raises:
        InputError: it is a file or lies in one.
    """
    if not next(each for each in (path, *path.absolute().parents) if each.exists()).is_dir():
        raise InputError(f"{option} {path}: is a file or lies in one; expected a folder".lstrip())


def write_whole(path: Path, text: str) -> Path:
    """Write a file whole or not at all, whoever writes the same one and whatever fails; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)
    found = temporary.replace(path)
    sync(path.parent)
    return found


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    shutil.copy2(source, temporary)
    temporary.replace(path)


def sync(path: Path) -> None:
    """Have the system write a file or a folder's names to the disk now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
