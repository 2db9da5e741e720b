"""Where a file's bytes come from: cache, mirror, URL, wheel, in this order; checked, and kept in the cache."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar

from filelock import FileLock
from pydantic import AfterValidator, Field, ValidationError

from harness.config import Strict
from harness.data.archive import copy_member
from harness.data.dataset import SourceRecord
from harness.data.digest import sha256_of
from harness.data.download import discard, download
from harness.data.wheel import copy_from_wheel
from harness.errors import InputError, WorkError
from harness.home import Home


def _relative(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
        raise ValueError(f"{name!r} must be a relative path without '..', '\\' and ':'")
    return name


RelativePath = Annotated[str, AfterValidator(_relative)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Url(Strict):
    """A file's official address, or that of a zip archive of which it is a member."""

    origin: ClassVar[str] = "url"
    url: str
    member: RelativePath | None = None

    @property
    def place(self) -> str:
        """What a report names."""
        return self.url

    def bring(self, target: Path) -> Path:
        """Fresh, unchecked bytes in a file beside ``target``."""
        part = _beside(target, "part")
        download(self.url, part)
        if self.member is None:
            return part
        unpacked = _beside(target, "unpacked")
        try:
            copy_member(part, self.member, unpacked)
        finally:
            discard(part)
        return unpacked


class Wheel(Strict):
    """A member of a wheel on the package index; the requirement names one version, e.g. ``recbole==1.2.1``."""

    origin: ClassVar[str] = "wheel"
    requirement: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*==[\w.+!]+$")]
    sha256: Sha256
    member: RelativePath

    @property
    def place(self) -> str:
        """What a report names."""
        return f"the wheel {self.requirement}"

    def bring(self, target: Path) -> Path:
        """Fresh bytes, whose wheel was checked, in a file beside ``target``."""
        unpacked = _beside(target, "unpacked")
        copy_from_wheel(self.requirement, self.sha256, self.member, unpacked)
        return unpacked


class SourceFile(Strict):
    """One file and the places that have it; a mirror may have any.

    Attributes:
        name: path within the data set's folder, in the cache and in a mirror.
        size_bytes: length of the file; None where nobody could hold it beforehand.
        sha256: digest of its bytes; None likewise.
        url: its official address.
        wheel: a wheel that contains it.
    """

    name: RelativePath
    size_bytes: int | None = None
    sha256: Sha256 | None = None
    url: Url | None = None
    wheel: Wheel | None = None


@dataclass(frozen=True)
class Fetched:
    """A checked file on this machine."""

    path: Path
    record: SourceRecord


def fetch(file: SourceFile, folder: str, home: Home, report: Callable[[str], None] = print) -> Fetched:
    """Get one file and check its size and sha256.

    Args:
        file: what to get.
        folder: the data set's or backbone's folder, in the cache and in a mirror.
        home: holds the cache, and the mirror if there is one. A mirror's file is used where it lies.
        report: is told in a line what is fetched from where, and what failed.

    Raises:
        InputError: the cached or the mirror's file is not what it must be.
        WorkError: no source gave the file, or it could not be kept.
    """
    target = home.cache / folder / file.name
    if target.exists():
        return _cached(file, target)
    if home.mirror and (mirrored := home.mirror / folder / file.name).exists():
        record = _record(file, mirrored, "mirror")
        if wrong := _mismatch(file, record):
            raise InputError(f"{mirrored}: {wrong}; replace the file or name another mirror")
        return Fetched(mirrored, record)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(_beside(target, "lock")):  # another process may be fetching the same file
            return _cached(file, target) if target.exists() else _from_sources(file, folder, target, home, report)
    except OSError as error:
        reason = error.strerror or error
        raise WorkError(f"{target}: {reason}; --home must name a writable folder with enough space") from None


def _from_sources(file: SourceFile, folder: str, target: Path, home: Home, report: Callable[[str], None]) -> Fetched:
    """The first source that gives the right bytes."""
    failures = [f"{home.mirror} has none"] if home.mirror else []
    size = f" ({file.size_bytes / 1e6:.1f} MB)" if file.size_bytes else ""
    for source in (file.url, file.wheel):
        if source is None:
            continue
        report(f"fetching {folder}/{file.name}{size} from {source.place}")
        try:
            return _keep(file, source, target)
        except WorkError as error:
            failures.append(f"{source.place}: {error}")
            report(failures[-1])
    tried = "; ".join(failures) or "only a mirror can have it"
    raise WorkError(
        f"{folder}/{file.name}: no source gave it ({tried}); put it into a folder and name that by --mirror"
    )


def _keep(file: SourceFile, source: Url | Wheel, target: Path) -> Fetched:
    """Bring the file, check it, and move it to ``target``; its record goes first, so that no file is without."""
    fresh = source.bring(target)
    record = _record(file, fresh, source.origin)
    if wrong := _mismatch(file, record):
        discard(fresh)
        raise WorkError(wrong)
    _beside(target, "record").write_text(record.model_dump_json())
    with fresh.open("rb") as handle:
        os.fsync(handle.fileno())
    fresh.replace(target)
    discard(fresh)
    return Fetched(target, record)


def _cached(file: SourceFile, target: Path) -> Fetched:
    """The cached file, if it is still what was fetched, and what ``file`` asks for."""
    try:
        kept = SourceRecord.model_validate_json(_beside(target, "record").read_bytes())
    except (FileNotFoundError, ValidationError):
        raise InputError(
            f"{target}: its record beside it is missing or damaged; delete the file to fetch it again"
        ) from None
    as_kept = file.model_copy(update={"size_bytes": kept.size_bytes, "sha256": kept.sha256})
    wrong = _mismatch(as_kept, _record(file, target, kept.origin)) or _mismatch(file, kept)
    if wrong:
        raise InputError(f"{target}: not what it was or must be: {wrong}; delete the file to fetch it again")
    return Fetched(target, kept)


def _record(file: SourceFile, path: Path, origin: str) -> SourceRecord:
    return SourceRecord(
        name=file.name,
        origin=origin,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        pinned=file.sha256 is not None or origin == Wheel.origin,
    )


def _mismatch(file: SourceFile, found: SourceRecord) -> str | None:
    """How the bytes found differ from what ``file`` pins; None where they do not."""
    if file.size_bytes is not None and found.size_bytes != file.size_bytes:
        return f"{found.size_bytes} bytes, expected {file.size_bytes}"
    if file.sha256 is not None and found.sha256 != file.sha256:
        return f"sha256 {found.sha256}, expected {file.sha256}"
    return None


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f"{target.name}.{suffix}")
