from pathlib import Path

import pytest

from harness.audit.reading import read_csv
from harness.errors import InputError
from harness.metrics import Place

HEADER = "paper,table,dataset,method,metric,k,value"
ROW = "p,1,Set,A,Recall,5,0.0390"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    rows = [f"{ROW},610", "p,1,Set,A,MRR,5,.03,", "q,2,Set,A,Recall,5,1,", ROW + ",610"]
    first, second = read_csv(written(tmp_path, HEADER + ",users", *rows))
    assert (first.paper, second.paper) == ("p", "q")
    (column,) = first.columns
    assert column.numbers == {Place("Recall", 5): "0.0390", Place("MRR", 5): ".03"}
    assert column.users == 610
    assert second.columns[0].users is None


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((), "table.csv: the file is empty"),
        ((HEADER,), "table.csv: a header line and no rows"),
        (("paper,table,dataset,method,metric,value", "p,1,Set,A,Recall,0.1"), "line 1: no column 'k'; found paper,"),
        ((HEADER + ",note", ROW + ",x"), "line 1: column 'note' is unknown; known: paper, table,"),
        ((HEADER.replace(",", ";"), ROW.replace(",", ";")), "line 1: columns stand apart by ';'; expected ','"),
        ((HEADER, ROW + "x,1"), "line 2: 8 fields, expected 7"),
        ((HEADER, ROW, "p,1,Set,,Recall,5,0.1"), "line 3: the method is empty"),
        ((HEADER, ROW.replace("0.0390", "3.9")), "line 2: value 3.9 is above 1; metrics are shares (divide percents"),
        ((HEADER, ROW.replace("0.0390", "3.90%")), "line 2: value '3.90%' is in percent; write it as a share"),
        ((HEADER, ROW.replace("0.0390", '"0,0390"')), "line 2: value '0,0390' has a comma; write a point"),
        ((HEADER, ROW.replace("0.0390", "0,0390")), "line 2: 8 fields, expected 7"),
        ((HEADER, ROW.replace("0.0390", "-0.1")), "line 2: value '-0.1' is no plain decimal number"),
        ((HEADER, ROW.replace("0.0390", "nan")), "line 2: value 'nan' is no plain decimal number"),
        ((HEADER, ROW.replace("0.0390", "4e-2")), "line 2: value '4e-2' is no plain decimal number"),
        ((HEADER, ROW.replace("Recall", "HR")), "line 2: metric 'HR' is unknown; known: Recall, MRR, NDCG"),
        ((HEADER, ROW.replace(",5,", ",five,")), "line 2: k 'five' is no whole number from 1"),
        ((HEADER, ROW.replace(",5,", ",0,")), "line 2: k '0' is no whole number from 1"),
        ((HEADER, ROW, ROW.replace(",5,0.0390", ",05,0.0391")), "line 3: k '05' is no whole number from 1"),
        ((HEADER, ROW.replace(",5,", ",1000000000000,")), "k '1000000000000' is no whole number from 1 to 9999"),
        ((HEADER, ROW.replace(",5,", f",{'5' * 5000},")), "is no whole number from 1 to 9999"),
        ((HEADER, ROW + "0" * 5000), "is no plain decimal number"),
        ((HEADER + ",users", ROW + f",{10**18}"), "users '1000000000000000000' is no whole number from 1 to 999999999"),
        ((HEADER + ",users", ROW + f",{'9' * 5000}"), "is no whole number from 1 to 999999999"),
        ((HEADER + ",users", ROW.replace("0.0390", "0,0390")), "line 2: users '0390' is no whole number from 1"),
        ((HEADER, ROW, ROW, ROW + "1"), "lines 2 and 4: p 1 Set A Recall 5 is 0.0390 and 0.03901"),
        ((HEADER + ",users", ROW + ",many"), "line 2: users 'many' is no whole number from 1 to 999999999"),
        ((HEADER + ",users", ROW + ",9", ROW.replace("A", "B") + ",8"), "lines 2 and 3: 9 and 8 users for Set"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path: Path, lines: tuple[str, ...], complaint: str) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(InputError) as error:
        read_csv(path)
    assert complaint in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
