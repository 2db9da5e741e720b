from pathlib import Path

import pytest

from harness.data.readers import movielens
from harness.errors import InputError

MOVIES = b"movieId,title,genres\r\n" + b"".join(
    b'%d,"Film, The (%d)",Drama|War\r\n' % (number, 1990 + number) for number in (10, 9, 8, 7, 6, 99)
)


def ratings(*changed: bytes) -> bytes:
    rows = [b"%d,%d,4.0,%d" % (user, item, 100 - item) for user in range(1, 6) for item in (6, 7, 8, 9, 10)]
    return b"\n".join([b"userId,movieId,rating,timestamp", *rows, *changed]) + b"\n"


def read_csv(folder: Path, ratings_csv: bytes, movies_csv: bytes = MOVIES):
    (folder / "ratings.csv").write_bytes(ratings_csv)
    (folder / "movies.csv").write_bytes(movies_csv)
    return movielens.read_csv("set", folder / "ratings.csv", folder / "movies.csv")


def test_csv(tmp_path: Path) -> None:
    read = read_csv(tmp_path, b"\xef\xbb\xbf" + ratings(b"1,99,3.0,5", b"1,6,3.0,500"))
    assert (read.n_users, read.n_items, read.n_interactions) == (5, 5, 26)
    assert read.titles == ("", *(f"Film, The ({1990 + number})" for number in range(6, 11)))
    assert {name: column[1] for name, column in read.fields.items()} == {"year": "1996", "genres": "Drama|War"}
    assert read.raw_items == ("", "6", "7", "8", "9", "10")
    assert read.sequences[1].tolist() == [5, 4, 3, 2, 1, 1]
    assert read.times is not None
    assert read.times[:6].tolist() == [90, 91, 92, 93, 94, 500]


def test_atomic(tmp_path: Path) -> None:
    rows = b"".join(b"%d\t%d\t3\t%d\n" % (user, item, item) for user in range(1, 6) for item in range(1, 6))
    (tmp_path / "s.inter").write_bytes(b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + rows)
    movies = b"".join(b'%d\tThe "%d"\t1995\tDrama War\n' % (item, item) for item in range(1, 6))
    (tmp_path / "s.item").write_bytes(
        b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n" + movies
    )
    read = movielens.read_atomic("set", tmp_path / "s.inter", tmp_path / "s.item")
    assert read.titles[1:3] == ('The "1"', 'The "2"')
    assert read.fields == {"year": ("", *["1995"] * 5), "genres": ("", *["Drama|War"] * 5)}
    assert read.sequences[5].tolist() == [1, 2, 3, 4, 5]


def test_a_film_without_year_or_genres_keeps_its_title(tmp_path: Path) -> None:
    bare = MOVIES.replace(b'"Film, The (1996)",Drama|War', b"Film,(no genres listed)")
    read = read_csv(tmp_path, ratings(), bare)
    assert (read.titles[1], read.fields["year"][1], read.fields["genres"][1]) == ("Film", "", "")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1,6,4.0,-5", r"ratings\.csv, line 27: time '-5' is no whole number from 0 on"),
        (b"1,6,4.0,noon", "line 27: time 'noon'"),
        (b"1,6,4.0", "line 27: 3 fields, expected 4"),
        (b",6,4.0,5", "line 27: the user is empty"),
        (b"2,7,1.0,93", "lines 8 and 27: the same user, item, time twice"),
        (b"1,6,4.0,\xff", "line 27: not UTF-8"),
    ],
)
def test_a_bad_rating_names_its_line(tmp_path: Path, row: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_csv(tmp_path, ratings(row))


def test_other_bad_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: no column 'timestamp'"):
        read_csv(tmp_path, ratings().replace(b"timestamp", b"when"))
    with pytest.raises(InputError, match="line 1: no column 'title'"):
        read_csv(tmp_path, ratings(), MOVIES.replace(b"title", b"name"))
    with pytest.raises(InputError, match="lines 2 and 8: the same item twice"):
        read_csv(tmp_path, ratings(), MOVIES + b"10,Again,Drama\n")
    with pytest.raises(InputError, match="none of 3 interactions is left by the 5-core filter"):
        read_csv(tmp_path, b"userId,movieId,rating,timestamp\n1,6,1,1\n1,7,1,1\n2,6,1,1\n")
