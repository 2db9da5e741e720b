"""Running the command line (``harness`` and ``python -m harness``): every error is one line and an exit status."""

import errno
import sys
import traceback

import typer

from harness import cli
from harness.config import one_line
from harness.errors import HarnessError

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 bad input, 130 interrupted."""
    try:
        cli.register_systems()
        status = cli.app(standalone_mode=False) or 0
        if status == INTERRUPTED:  # how newer versions of typer return what older ones raise
            complain("interrupted; run again to resume", status)
    except HarnessError as error:
        status = complain(str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort):
        status = complain("interrupted; run again to resume", INTERRUPTED)
    except OSError as error:
        full = "; free some space, or name another folder by --home" if error.errno == errno.ENOSPC else ""
        status = complain(f"{error.filename or 'file'}: {error.strerror or error}{full}", 1)
    except Exception as error:
        misused = getattr(error, "format_message", None)  # the command line itself; typer brings its own click or not
        line = misused() if misused else f"{type(error).__name__}: {one_line(error)} (--debug shows where)"
        status = complain(line, 2 if misused else 1)
    if status == INTERRUPTED:
        exec("")  # CPython would end by the signal where that came while a string was executed, as dataclasses do
    sys.exit(status)


def complain(line: str, status: int) -> int:
    """Print one line on standard error, after the traceback if that was asked for, and return the status."""
    if "--debug" in sys.argv:
        traceback.print_exc()
    if line:
        print(f"error: {' '.join(line.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
