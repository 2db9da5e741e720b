"""Tables in LaTeX, in the paper's arrangement: metrics by rows, data sets and systems side by side where they fit."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.papers.paper import Paper
from reports import legend
from reports.listing import Listing
from reports.table import Block, Grid

COLUMNS = 20  # that fit on the page side by side

ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",
    "[": "{[}",
    "±": r"$\pm$",
    "†": r"\textsuperscript{\textdagger}",
    "‡": r"\textsuperscript{\textdaggerdbl}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it is, in one line; what pdflatex has no letter for becomes a question mark."""
    flat = " ".join(text.split())
    return "".join(ESCAPES.get(letter, letter if letter.isascii() else _accented(letter)) for letter in flat)


def _accented(letter: str) -> str:
    return letter if letter.isalpha() and ord(letter) < 0x180 else "?"


def tiers(blocks: Sequence[Block]) -> list[list[Block]]:
    """The blocks in rows of as many as fit side by side, one at least."""
    found: list[list[Block]] = []
    for block in blocks:
        if found and sum(len(each.columns) for each in (*found[-1], block)) <= COLUMNS:
            found[-1].append(block)
        else:
            found.append([block])
    return found


def render(paper: Paper, grids: Sequence[Grid], listings: Sequence[Listing]) -> str:
    """One document with every table; it needs geometry, booktabs and longtable."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
        finalize=lambda value: escape(str(value)),
    )
    environment.filters["tiers"] = tiers
    return environment.get_template("report.tex.j2").render(paper=paper, grids=grids, listings=listings, legend=legend)
