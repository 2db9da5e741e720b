"""Reading one named member of a zip archive (a wheel is one). Nothing is ever extracted by an archive's own paths."""

import shutil
import zipfile
import zlib
from pathlib import Path

from harness.errors import WorkError


def copy_member(archive: Path, member: str, target: Path) -> None:
    """Copy the bytes of one member to a path that the caller chose; the archive has no say in it.

    Args:
        archive: the zip file.
        member: its exact name in the archive.
        target: the file to write.

    Raises:
        WorkError: no zip file, a damaged one, or one without that member.
    """
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WorkError(f"not a whole zip archive ({error})") from None
    except KeyError:
        raise WorkError(f"the archive holds no member {member!r}") from None
