"""Downloading one file over HTTP: redirects, time-outs, and resuming what was cut off."""

from pathlib import Path

import requests
from urllib3.exceptions import HTTPError

from harness.errors import WorkError

CONNECT_TIMEOUT_S = 4.0
READ_TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18


def download(url: str, part: Path) -> None:
    """Bring the whole content of ``url`` to ``part``.

    What an earlier, interrupted call left in ``part`` is gone on from, if the server says by ETag or
    Last-Modified that the file is still the same. A connection that breaks after it has brought something
    is taken up again; one that brings nothing is given up at once.

    Raises:
        WorkError: no connection, an HTTP error status, a time-out, or a connection that keeps breaking.
    """
    while True:
        before = _size(part)
        try:
            _receive(url, part, before)
            return
        except requests.RequestException as error:
            raise WorkError(_reason(error)) from None
        except HTTPError as error:
            if _size(part) <= before:
                raise WorkError(f"{_reason(error)} after {_size(part)} bytes") from None


def discard(part: Path) -> None:
    """Forget a partial download."""
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)


def _receive(url: str, part: Path, received: int) -> None:
    validator = _validator(part)
    headers = {"Accept-Encoding": "identity"}
    if received and validator.exists():
        headers |= {"Range": f"bytes={received}-", "If-Range": validator.read_text()}
    timeouts_s = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    with requests.get(url, headers=headers, stream=True, timeout=timeouts_s) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # `part` was complete already
        response.raise_for_status()
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {received}-")
        if not resumed:
            discard(part)
            if same := _strong_validator(response):
                validator.write_text(same)
        with part.open("ab" if resumed else "wb") as sink:
            # The raw stream raises where the connection ends before Content-Length is reached.
            for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                sink.write(chunk)


def _strong_validator(response: requests.Response) -> str | None:
    """The header value by which a server recognises the same bytes (RFC 9110, section 13.1.5)."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _validator(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "time-out"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"connection broken ({error})"
