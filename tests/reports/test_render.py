import csv
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.text import Text

from harness import audit
from harness.audit.finding import Finding
from harness.cell import Cell
from harness.claims import ClaimRow, claims
from harness.errors import InputError
from harness.shown import Shown
from harness.store import Run
from reports import html, latex, markdown, terminal
from reports.claims import listing as claims_listing
from reports.render import FILES, FORMATS, render, write
from reports.table import Grid, grid
from tests.reports.conftest import COMMAND, PAPER

HOSTILE = r"""<script>alert(1)</script> & 100 % _of_ #1 $x^2$ {y} ~ \input{/etc/passwd} | [z] "q" `r` 東京 é"""
VOID = {"meta", "br", "link", "img", "input", "hr"}


@pytest.fixture
def hostile(all_cells: list[Cell], runs: list[Run]) -> list[Grid]:
    """Tables of runs whose command and notes try to break out of their format."""
    bad = [
        Run(run.folder, run.config, run.record.model_copy(update={"command": HOSTILE, "data_notes": (HOSTILE,)}))
        for run in runs
    ]
    tables = dict.fromkeys(cell.table for cell in all_cells)
    return [grid(PAPER, t, [cell for cell in all_cells if cell.table == t], bad, HOSTILE) for t in tables]


class Page(HTMLParser):
    """Text, and the attributes that could load something; complains of tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.loads: list[str] = []
        self.titles: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "srcset")]
        self.titles += [value or "" for name, value in attrs if name == "title"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_holds_the_numbers_and_the_foot(format_: str, all_cells: list[Cell], runs: list[Run]) -> None:
    text = render(Shown("llamarec", all_cells), runs, format_, COMMAND)
    assert text == render(Shown("llamarec", all_cells), runs, format_, COMMAND)
    for expected in ("0.75", "0.0705", "other budget", "other backbone", "not run", "no published value", "GPT4Rec"):
        assert expected in text
    if format_ not in ("csv", "json"):
        plain = " ".join(text.replace("\\", "").replace("{-}", "-").split())
        for expected in ("0.6404", "dirty tree", "ln 20 = 2.996", "0123456789ab", "unpinned", "smollm2-135m"):
            assert expected in plain
        assert COMMAND in plain


def test_an_unknown_format_is_refused(all_cells: list[Cell], runs: list[Run]) -> None:
    with pytest.raises(InputError, match="format 'docx' is unknown; known: terminal, md, tex, html, csv, json"):
        render(Shown("llamarec", all_cells), runs, "docx", COMMAND)


def test_json_comes_back_as_the_same_cells(all_cells: list[Cell], runs: list[Run]) -> None:
    documents = json.loads(render(Shown("llamarec", all_cells), runs, "json", COMMAND))
    assert [Cell.model_validate(document) for document in documents] == all_cells


def test_csv_comes_back_with_the_same_numbers(all_cells: list[Cell], runs: list[Run]) -> None:
    lines = list(csv.DictReader(StringIO(render(Shown("llamarec", all_cells), runs, "csv", COMMAND))))
    assert len(lines) == len(all_cells)
    for line, cell in zip(lines, all_cells, strict=True):
        assert line["printed"] == (cell.printed or "")
        assert (float(line["mean"]) if line["mean"] else None) == cell.mean
        assert line["runs"].split() == list(cell.runs)


def test_the_page_is_whole_and_loads_nothing(all_cells: list[Cell], runs: list[Run]) -> None:
    page = Page(render(Shown("llamarec", all_cells), runs, "html", COMMAND))
    assert "svg" in page.tags
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert all(link.startswith("#") for link in page.loads)
    assert any("harness run lrurec" in title and "(dirty tree)" in title for title in page.titles)


def test_best_and_second_are_marked(all_cells: list[Cell], runs: list[Run]) -> None:
    texts = {format_: render(Shown("llamarec", all_cells), runs, format_, COMMAND) for format_ in FORMATS}
    assert "<b>0.7500</b>" in texts["html"]
    assert "<u>0.0469</u>" in texts["html"]
    assert r"\textbf{0.7500}" in texts["tex"]
    assert r"\underline{0.0469}" in texts["tex"]
    assert "**0.7500**" in texts["md"]
    assert "<u>0.0469</u>" in texts["md"]
    assert "0.7500* (+0.6795)" in texts["terminal"]
    assert "0.0469+ (-0.0075)" in texts["terminal"]


def test_hostile_text_is_only_text_in_html(hostile: list[Grid]) -> None:
    paper = PAPER.model_copy(update={"title": HOSTILE})
    page = Page(html.render(paper, hostile, [], []))
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert any(HOSTILE in title for title in page.titles)


def test_hostile_text_does_not_break_a_markdown_table(hostile: list[Grid]) -> None:
    text = markdown.render(PAPER.model_copy(update={"title": HOSTILE}), hostile, [], [])
    assert "<script>" not in text
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert blocks
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_hostile_text_is_only_text_in_a_terminal(hostile: list[Grid]) -> None:
    paper = PAPER.model_copy(update={"title": "[bold red]x[/bold red]"})
    assert "[bold red]x[/bold red]" in terminal.render(paper, hostile, [], 150, colour=False)


def test_a_terminal_of_80_columns_is_enough(all_cells: list[Cell], runs: list[Run]) -> None:
    grids = [grid(PAPER, "1", [cell for cell in all_cells if cell.table == "1"], runs, COMMAND)]
    claimed = claims_listing(claims(PAPER, all_cells))
    assert claimed
    plain = terminal.render(PAPER, grids, [claimed], 80, colour=False)
    assert max(map(len, plain.splitlines())) <= 80
    assert "…" not in plain
    coloured = terminal.render(PAPER, grids, [claimed], 80, colour=True)
    assert coloured != plain
    assert Text.from_ansi(coloured).plain.split() == plain.split()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not on this machine")
@pytest.mark.parametrize("kind", ["plain", "hostile"])
def test_latex_compiles(kind: str, tmp_path: Path, all_cells: list[Cell], runs: list[Run], hostile: list[Grid]) -> None:
    text = render(Shown("llamarec", all_cells), runs, "tex", COMMAND)
    if kind == "hostile":
        text = latex.render(PAPER.model_copy(update={"title": HOSTILE}), hostile, [])
    (tmp_path / "tables.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "tables.pdf").read_bytes().startswith(b"%PDF")
    assert "Overfull" not in done.stdout


def test_latex_escapes_every_special_letter() -> None:
    assert latex.escape("a_b & 5 % {x} #1 $y$") == r"a\_b \& 5 \% \{x\} \#1 \$y\$"
    assert latex.escape("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert latex.escape("[1]\n--set é 東") == "{[}1] {-}{-}set é ?"


def test_claims_and_findings_have_files_of_their_own(tmp_path: Path, all_cells: list[Cell], runs: list[Run]) -> None:
    shown = [cell for cell in all_cells if cell.table == "1"]
    write(Shown("llamarec", shown), runs, tmp_path, COMMAND)
    claimed = json.loads((tmp_path / "llamarec-claims.json").read_text("utf-8"))
    assert [ClaimRow.model_validate(row) for row in claimed] == claims(PAPER, shown)
    found = json.loads((tmp_path / "llamarec-findings.json").read_text("utf-8"))
    whole = audit.audit_target("llamarec")
    assert [Finding(**row) for row in found] == [finding for finding in whole if finding.table == "1"]
    assert 0 < len(found) < len(whole)
    for name, rows in (("claims", claimed), ("findings", found)):
        lines = list(csv.DictReader(StringIO((tmp_path / f"llamarec-{name}.csv").read_text("utf-8"))))
        assert lines == [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def test_files_are_written_in_every_format(tmp_path: Path, all_cells: list[Cell], runs: list[Run]) -> None:
    paths = write(Shown("llamarec", all_cells), runs, tmp_path / "out", COMMAND)
    tables = {f"llamarec.{suffix}" for suffix in (*FILES, "svg")}
    assert {path.name for path in paths} == {
        *tables,
        *(f"llamarec-{name}.svg" for name in ("forest", "power", "learning")),
        *(f"llamarec-{name}.{suffix}" for name in ("claims", "findings") for suffix in ("csv", "json")),
    }
    for format_ in FILES:
        assert (tmp_path / "out" / f"llamarec.{format_}").read_text("utf-8") == render(
            Shown("llamarec", all_cells), runs, format_, COMMAND
        )
    assert ElementTree.parse(tmp_path / "out" / "llamarec.svg").getroot().tag.endswith("svg")


def test_a_report_is_never_half_written(all_cells: list[Cell], runs: list[Run], tmp_path: Path) -> None:
    """Who killed the second writing at any moment would find the first one's file or the second's, whole."""
    (tmp_path / "llamarec.csv").write_text("the first")
    with (tmp_path / "llamarec.csv").open() as before:
        written = write(Shown("llamarec", all_cells[:6]), runs, tmp_path, COMMAND)
        assert before.read() == "the first"
    assert (tmp_path / "llamarec.csv").read_text() != "the first"
    assert set(tmp_path.iterdir()) - {tmp_path / "runs"} == set(written)


def test_a_report_needs_a_folder(all_cells: list[Cell], runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: is a file or lies in one; expected a folder"):
        write(Shown("llamarec", all_cells[:6]), runs, tmp_path / "file", COMMAND)
