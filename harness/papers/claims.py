"""What a paper says of its own numbers, to be held against its tables."""

from typing import Annotated, Literal

from pydantic import Field

from harness.config import Strict


class _Claim(Strict):
    """A statement about one system against others.

    Attributes:
        where: where in the paper it is made.
        table: whose numbers it is about.
        datasets: as printed; all of the table's, where left out.
        system: the one that is said to be better.
        over: the others; all of the table's, where left out.
    """

    where: str
    table: str
    datasets: tuple[str, ...] = ()
    system: str
    over: tuple[str, ...] = ()


class Beats(_Claim):
    """The system has the higher number in every row, against each of the others."""

    kind: Literal["beats"]


class Improvement(_Claim):
    """The relative improvement over the best of the others in each row, averaged over the rows.

    Attributes:
        percent: as printed.
    """

    kind: Literal["improvement"]
    percent: str = Field(pattern=r"^\d+(\.\d+)?$")


Claim = Annotated[Beats | Improvement, Field(discriminator="kind")]
