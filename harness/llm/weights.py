"""Where a backbone's files lie: made or converted into the cache, downloaded from a hub, or a user's folder."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from safetensors import SafetensorError

from harness.data import sources
from harness.data.digest import sha256_of
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.llm import gguf, tiny
from harness.llm.catalogue import Entry, entries
from harness.progress import Report

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
HUB_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")  # nothing pickled, no code
RECORD = "source.json"
MADE, HUB = "backbones", "hub"  # folders of the cache: made or converted here, downloaded from a hub


@dataclass(frozen=True)
class Weights:
    """A folder with a configuration, a tokenizer and ``*.safetensors``.

    Attributes:
        folder: what transformers loads.
        origin: ``wheel``, ``mirror``, ``made``, ``hub`` or ``folder``.
        sha256: digest of the original weights file; of a hub's or a user's folder that of all files that are read.
        size_bytes: length of the original weights.
        pinned: whether the harness knew the digest beforehand.
    """

    folder: Path
    origin: str
    sha256: str
    size_bytes: int
    pinned: bool = False


def check(name: str) -> None:
    """Refuse what no run can be made with; nothing is fetched.

    Raises:
        InputError: neither a catalogue name, nor a hub id, nor a local folder; or a shape.
    """
    entry = entries().get(name)
    if entry and entry.shape:
        raise InputError(
            f"backbone {name!r} is a shape: its weights are random, made when it is loaded; "
            "it can only be timed: there is nothing to fetch, and no run to make with it"
        )
    if not (entry or (name and Path(name).is_dir()) or HUB_ID.fullmatch(name)):
        raise InputError(
            f"backbone {name!r} is unknown; known: {', '.join(entries())}, a folder, or a hub id OWNER/NAME"
        )


def locate(name: str, home: Home, report: Report = print) -> Weights:
    """The weights of a catalogue name, hub id or local folder, fetched and converted if need be.

    Raises:
        InputError: none of these, a shape, a folder without safetensors, or a damaged cache.
        WorkError: no source or hub gave the files.
    """
    check(name)
    if entry := entries().get(name):
        return _known(name, entry, home, report)
    if Path(name).is_dir():
        return _in_folder(Path(name), "folder")
    return _in_folder(_download(name, home, report), "hub")


def share(home: Home, root: Path) -> Home:
    """A home at ``root`` that has this one's backbones, and nothing else of it."""
    other = Home(root)
    other.cache.mkdir(parents=True, exist_ok=True)
    for name in (MADE, HUB):
        (home.cache / name).mkdir(parents=True, exist_ok=True)
        if not (other.cache / name).exists():
            (other.cache / name).symlink_to(home.cache / name, target_is_directory=True)
    return other


def _known(name: str, entry: Entry, home: Home, report: Report) -> Weights:
    folder = home.cache / MADE / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{name}.lock")):
        if entry.gguf is None:
            if not folder.exists():
                _fill(folder, tiny.build)
            return _converted(folder)
        if not folder.exists():
            source = sources.fetch(entry.gguf, name, home, report)
            report(f"de-quantising {entry.gguf.name} once, about half a minute")
            _fill(folder, lambda partial: gguf.convert(source.path, partial), source.record.model_dump())
        found = _converted(folder)
        if entry.gguf.sha256 and found.sha256 != entry.gguf.sha256:
            raise InputError(f"{folder}: made from another file than {name}'s; delete the folder to make it again")
        return found


def _fill(folder: Path, build: Callable[[Path], None], source: dict[str, object] | None = None) -> None:
    """Build a folder beside its place and move it there, so that a kill leaves none that is incomplete."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        build(partial)
        weights = partial / "model.safetensors"
        converted = sha256_of(weights)
        made = {"origin": "made", "sha256": converted, "size_bytes": weights.stat().st_size, "pinned": False}
        (partial / RECORD).write_text(json.dumps((source or made) | {"converted_sha256": converted}))
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise WorkError(f"{folder}: {reason}; --home must name a writable folder with enough space") from None
    partial.rename(folder)


def _converted(folder: Path) -> Weights:
    """A backbone that was made or de-quantised into the cache, if its weights are still what was written."""
    try:
        source = json.loads((folder / RECORD).read_text())
        intact = sha256_of(folder / "model.safetensors") == source["converted_sha256"]
    except (OSError, ValueError, KeyError):
        intact = False
    if not intact:
        raise InputError(f"{folder}: altered since it was made; delete the folder to make it again")
    return Weights(folder, source["origin"], source["sha256"], source["size_bytes"], source["pinned"])


def _in_folder(folder: Path, origin: str) -> Weights:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise InputError(f"{folder}: no *.safetensors; weights in other formats (*.bin are pickles) are never loaded")
    read = sorted({file for pattern in HUB_FILES for file in folder.glob(pattern)})
    whole = hashlib.sha256("".join(f"{file.name} {sha256_of(file)}\n" for file in read).encode()).hexdigest()
    return Weights(folder, origin, whole, sum(file.stat().st_size for file in files))


def _download(name: str, home: Home, report: Report) -> Path:
    from huggingface_hub import snapshot_download

    report(f"looking up {name} on the model hub")
    try:
        return Path(snapshot_download(name, cache_dir=home.cache / HUB, allow_patterns=list(HUB_FILES), etag_timeout=5))
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise WorkError(
            f"backbone {name!r}: no folder of that name, and the model hub did not give it ({reason}); "
            "name a downloaded folder, or log in to the hub if the model is gated"
        ) from None
