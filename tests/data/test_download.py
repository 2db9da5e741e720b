import socket
from pathlib import Path

import pytest

from harness.data import download as module
from harness.data.download import download
from harness.errors import WorkError

CONTENT = bytes(range(256)) * 4000


def test_follows_a_redirect(site, tmp_path: Path) -> None:
    site.redirects["/old"] = "/new"
    site.files["/new"] = CONTENT
    download(f"{site.url}/old", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert [path for path, _ in site.asked] == ["/old", "/new"]


def test_takes_up_a_broken_connection_where_it_broke(site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    site.cuts["/f"] = [300_000, 300_000]
    download(f"{site.url}/f", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert [wanted for _, wanted in site.asked] == [None, "bytes=300000-", "bytes=600000-"]


def test_goes_on_from_what_an_earlier_call_left(site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    site.cuts["/f"] = [300_000, 0]
    with pytest.raises(WorkError, match="300000 bytes"):
        download(f"{site.url}/f", tmp_path / "part")
    site.asked.clear()
    download(f"{site.url}/f", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert site.asked == [("/f", "bytes=300000-")]


def test_starts_over_where_the_file_has_changed_meanwhile(site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    site.cuts["/f"] = [300_000, 0]
    with pytest.raises(WorkError):
        download(f"{site.url}/f", tmp_path / "part")
    site.files["/f"] = CONTENT[::-1]
    download(f"{site.url}/f", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT[::-1]


def test_a_complete_part_is_not_fetched_again(site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    for _ in range(2):
        download(f"{site.url}/f", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert [wanted for _, wanted in site.asked] == [None, f"bytes={len(CONTENT)}-"]


def test_a_truncated_answer_is_no_success(site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    site.cuts["/f"] = [0]
    with pytest.raises(WorkError, match="connection broken"):
        download(f"{site.url}/f", tmp_path / "part")


def test_names_a_time_out(site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.2)
    site.files["/f"] = CONTENT[:1]
    site.stalls.add("/f")
    with pytest.raises(WorkError, match="time-out"):
        download(f"{site.url}/f", tmp_path / "part")


def test_names_an_http_status(site, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="HTTP status 404"):
        download(f"{site.url}/nowhere", tmp_path / "part")


def test_names_a_refused_connection(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(WorkError, match="no connection"):
            download(f"http://127.0.0.1:{unused.getsockname()[1]}/f", tmp_path / "part")
