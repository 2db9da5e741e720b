import ctypes
import os

import pytest

from harness.audit.silence import library_output_on_stderr


def test_a_librarys_lines_stay_off_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    library = ctypes.CDLL(None)
    with library_output_on_stderr():
        library.puts(b"held back by the C library")
        os.write(1, b"written at once\n")
    os.write(1, b"ours\n")
    out, error = capfd.readouterr()
    assert out == "ours\n"
    assert {"held back by the C library", "written at once"} <= set(error.splitlines())
