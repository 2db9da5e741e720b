"""Where state lives: fetched files and finished runs."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.folders import check_folder

REFERENCE = Path(__file__).resolve().parents[1] / "reports" / "reference"


@dataclass(frozen=True)
class Home:
    """Where files and runs are.

    Attributes:
        root: the folder of all state.
        mirror: a folder that files may be taken from.
        released: runs that a checkout keeps, with the adapters that may be taken from them; a wheel has none.
    """

    root: Path
    mirror: Path | None = None
    released: Path | None = None

    @property
    def cache(self) -> Path:
        """Fetched and converted files; anything here can be made again."""
        return self.root / "cache"

    @property
    def runs(self) -> Path:
        """Finished runs, one folder each."""
        return self.root / "runs"

    @property
    def work(self) -> Path:
        """Checkpoints of unfinished runs; nothing here is a result."""
        return self.root / "work"


def resolve(home: Path | None = None, mirror: Path | None = None) -> Home:
    """The home from ``--home`` / ``--mirror``, else ``LLMREC_HOME`` / ``LLMREC_MIRROR``, else the platform's cache.

    Raises:
        InputError: the home cannot be a folder, or the mirror that was named is none.
    """
    if home is None and (named := os.environ.get("LLMREC_HOME")):
        home = Path(named)
    if mirror and not mirror.expanduser().is_dir():
        raise InputError(
            f"--mirror {mirror}: is no folder; expected one that holds the files of data sets or backbones"
        )
    if mirror is None and (named := os.environ.get("LLMREC_MIRROR")):
        mirror = Path(named)
    root = (home or _platform_cache()).expanduser().absolute()
    check_folder(root, "--home")
    return Home(root, mirror.expanduser().absolute() if mirror else None, REFERENCE if REFERENCE.is_dir() else None)


def _platform_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "llmrec-harness"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "llmrec-harness"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "llmrec-harness"
