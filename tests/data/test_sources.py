import hashlib
import importlib.util
import io
import resource
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.data.sources import SourceFile, Url, Wheel, fetch
from harness.errors import InputError, WorkError
from harness.home import Home

CONTENT = b"user,item\n" * 30_000


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pinned(**places) -> SourceFile:
    return SourceFile(name="f.csv", size_bytes=len(CONTENT), sha256=digest(CONTENT), **places)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A package index of one wheel, and that wheel's bytes."""
    wheel = zipped(
        **{
            "tinydata/f.csv": CONTENT,
            "tinydata/__init__.py": b"raise SystemExit('the package was run')",
            "tinydata-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\n",
            "tinydata-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "tinydata-1.0.dist-info/RECORD": b"",
        }
    )
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "tinydata-1.0-py3-none-any.whl").write_bytes(wheel)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return wheel


def from_wheel(wheel: bytes, requirement: str = "tinydata==1.0") -> Wheel:
    return Wheel(requirement=requirement, sha256=digest(wheel), member="tinydata/f.csv")


def test_from_a_url_into_the_cache_and_then_offline(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT
    file = pinned(url=Url(url=f"{site.url}/f.csv"))
    first = fetch(file, "set", home)
    assert first.path == home.cache / "set" / "f.csv"
    assert first.path.read_bytes() == CONTENT
    assert (first.record.origin, first.record.pinned, first.record.size_bytes) == ("url", True, len(CONTENT))
    site.files.clear()
    assert fetch(file, "set", home) == first
    assert len(site.asked) == 1
    assert kept(first.path.parent) == ["f.csv", "f.csv.record"]


def test_from_a_member_of_a_zip_archive(site, home: Home) -> None:
    site.files["/set.zip"] = zipped(**{"set/f.csv": CONTENT, "../evil": b"evil"})
    fetched = fetch(pinned(url=Url(url=f"{site.url}/set.zip", member="set/f.csv")), "set", home)
    assert fetched.path.read_bytes() == CONTENT
    assert kept(home.cache / "set") == ["f.csv", "f.csv.record"]


def test_from_where_an_address_redirects_to(site, home: Home) -> None:
    site.redirects["/set/f.csv"] = "/storage"
    site.files["/storage"] = CONTENT
    fetched = fetch(pinned(url=Url(url=f"{site.url}/set/f.csv")), "set", home)
    assert (fetched.path.read_bytes(), fetched.record.origin) == (CONTENT, "url")


def test_from_a_wheel_that_is_never_installed(index: bytes, home: Home) -> None:
    said: list[str] = []
    file = SourceFile(name="f.csv", wheel=from_wheel(index))
    fetched = fetch(file, "set", home, said.append)
    assert (fetched.path.read_bytes(), fetched.record.origin, fetched.record.pinned) == (CONTENT, "wheel", True)
    assert said == ["fetching set/f.csv from the wheel tinydata==1.0"]
    assert importlib.util.find_spec("tinydata") is None
    assert kept(fetched.path.parent) == ["f.csv", "f.csv.record"]


def test_refuses_another_wheel_of_the_same_name(index: bytes, home: Home) -> None:
    with pytest.raises(WorkError, match=f"has sha256 {digest(index)}, expected {digest(b'')}"):
        fetch(pinned(wheel=from_wheel(b"")), "set", home)


def test_says_what_pip_says_of_a_wheel_that_is_not_there(index: bytes, home: Home) -> None:
    with pytest.raises(WorkError, match=r"No matching distribution found for tinydata==2\.0"):
        fetch(pinned(wheel=from_wheel(index, "tinydata==2.0")), "set", home)


def test_order_is_cache_mirror_url_wheel(site, index: bytes, home: Home, tmp_path: Path) -> None:
    mirrored = replace(home, mirror=tmp_path / "mirror")
    file = pinned(url=Url(url=f"{site.url}/f.csv"), wheel=from_wheel(index))
    assert fetch(file, "wheel", home).record.origin == "wheel"
    site.files["/f.csv"] = CONTENT
    assert fetch(file, "url", home).record.origin == "url"
    for folder in ("url", "new"):
        (tmp_path / "mirror" / folder).mkdir(parents=True)
        (tmp_path / "mirror" / folder / "f.csv").write_bytes(CONTENT)
    assert fetch(file, "new", mirrored).record.origin == "mirror"
    assert fetch(file, "url", mirrored).record.origin == "url"


def test_falls_on_to_the_next_source_and_says_so(site, index: bytes, home: Home) -> None:
    site.files["/f.csv"] = b"altered"
    said: list[str] = []
    file = pinned(url=Url(url=f"{site.url}/f.csv"), wheel=from_wheel(index))
    assert fetch(file, "set", home, said.append).record.origin == "wheel"
    assert said[1] == f"{site.url}/f.csv: 7 bytes, expected {len(CONTENT)}"


def test_an_altered_download_is_not_kept(site, home: Home) -> None:
    altered = CONTENT[:-1] + b"!"
    site.files["/f.csv"] = altered
    with pytest.raises(WorkError, match=f"sha256 {digest(altered)}, expected {digest(CONTENT)}"):
        fetch(pinned(url=Url(url=f"{site.url}/f.csv")), "set", home)
    assert kept(home.cache / "set") == []


def test_a_truncated_download_is_not_mistaken_for_the_file(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT
    site.cuts["/f.csv"] = [1000, 0]
    file = pinned(url=Url(url=f"{site.url}/f.csv"))
    with pytest.raises(WorkError, match="after 1000 bytes"):
        fetch(file, "set", home)
    assert not (home.cache / "set" / "f.csv").exists()
    assert fetch(file, "set", home).path.read_bytes() == CONTENT
    assert site.asked[-1] == ("/f.csv", "bytes=1000-")


def test_two_at_once_fetch_once(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT
    file = pinned(url=Url(url=f"{site.url}/f.csv"))
    with ThreadPoolExecutor(4) as pool:
        fetched = list(pool.map(lambda _: fetch(file, "set", home), range(4)))
    assert all(one.path.read_bytes() == CONTENT for one in fetched)
    assert len(site.asked) == 1


def test_an_unpinned_file_says_so_and_is_still_guarded(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT
    file = SourceFile(name="f.csv", url=Url(url=f"{site.url}/f.csv"))
    fetched = fetch(file, "set", home)
    assert (fetched.record.pinned, fetched.record.sha256) == (False, digest(CONTENT))
    fetched.path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(InputError, match=r"f\.csv: not what it was or must be: sha256 .*; delete the file"):
        fetch(file, "set", home)


def test_a_cached_file_that_a_newer_pin_does_not_know_is_refused(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT[:-1] + b"!"
    fetch(SourceFile(name="f.csv", url=Url(url=f"{site.url}/f.csv")), "set", home)
    with pytest.raises(InputError, match=f"expected {digest(CONTENT)}; delete the file to fetch it again"):
        fetch(pinned(url=Url(url=f"{site.url}/f.csv")), "set", home)


def test_a_cached_file_without_its_record_is_refused(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT
    file = pinned(url=Url(url=f"{site.url}/f.csv"))
    fetch(file, "set", home).path.with_name("f.csv.record").unlink()
    with pytest.raises(InputError, match="record beside it is missing or damaged"):
        fetch(file, "set", home)


def test_a_mirror_with_another_file_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "set").mkdir(parents=True)
    (tmp_path / "mirror" / "set" / "f.csv").write_bytes(CONTENT[:-5])
    with pytest.raises(InputError, match=rf"mirror/set/f\.csv: {len(CONTENT) - 5} bytes, expected {len(CONTENT)}"):
        fetch(pinned(), "set", replace(home, mirror=tmp_path / "mirror"))


def test_where_nothing_answers_one_line_lists_what_was_tried(site, index: bytes, home: Home, tmp_path: Path) -> None:
    file = pinned(url=Url(url=f"{site.url}/f.csv"), wheel=from_wheel(index, "tinydata==2.0"))
    with pytest.raises(WorkError) as raised:
        fetch(file, "set", replace(home, mirror=tmp_path))
    message = str(raised.value)
    assert "\n" not in message
    for part in (f"{tmp_path} has none", f"{site.url}/f.csv: HTTP status 404", "tinydata==2.0: pip", "--mirror"):
        assert part in message


def test_a_file_that_only_a_mirror_has(home: Home) -> None:
    with pytest.raises(WorkError, match="only a mirror can have it"):
        fetch(pinned(), "set", home)


def test_a_home_that_cannot_be_written_is_one_line(site, home: Home) -> None:
    home.root.mkdir()
    home.cache.write_text("a file where the folder should be")
    with pytest.raises(WorkError, match=r"f\.csv: .*; --home must name a writable folder"):
        fetch(pinned(url=Url(url=f"{site.url}/f.csv")), "set", home)


def test_a_disk_that_takes_no_more_is_one_line(site, home: Home) -> None:
    site.files["/f.csv"] = CONTENT * 10
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(WorkError, match="File too large; --home must name a writable folder with enough space"):
            fetch(SourceFile(name="f.csv", url=Url(url=f"{site.url}/f.csv")), "set", home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (home.cache / "set" / "f.csv").exists()


@pytest.mark.parametrize("name", ["../f", "/etc/f", "a/../../f", "a\\..\\f", "C:f", ""])
def test_hostile_paths_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="relative path"):
        SourceFile(name=name)
    with pytest.raises(ValidationError, match="relative path"):
        Url(url="http://x/y.zip", member=name)


@pytest.mark.parametrize("requirement", ["recbole", "recbole>=1", "--index-url=http://x a==1", "a==1 b==2"])
def test_a_wheel_is_one_version_of_one_package(requirement: str) -> None:
    with pytest.raises(ValidationError, match="requirement"):
        Wheel(requirement=requirement, sha256="0" * 64, member="m")
