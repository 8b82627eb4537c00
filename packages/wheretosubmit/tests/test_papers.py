import json

import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from wheretosubmit._papers import read_papers

COLUMNS = {"title": ["Parsing", None, "Images"], "year": [1, 2, 3], "venue": ["ACL", "ACL", "CVPR"]}
EXPECTED = {"title": ["Parsing", "", "Images"]}


def files(folder):
    pyarrow.parquet.write_table(pyarrow.table(COLUMNS), folder / "papers.parquet")
    (folder / "papers.csv").write_text("title,year,venue\nParsing,1,ACL\n,2,ACL\nImages,3,CVPR\n")
    records = [dict(zip(COLUMNS, row)) for row in zip(*COLUMNS.values())]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n\n")
    return sorted(folder.iterdir())


def test_all_sources_are_the_same_papers(tmp_path):
    table = pyarrow.table(COLUMNS)
    sources = [
        *files(tmp_path),
        str(tmp_path / "papers.csv"),
        COLUMNS,
        table,
        table.to_batches()[0],
        pandas.DataFrame(COLUMNS),
        pandas.DataFrame({"title": pandas.array(COLUMNS["title"], "string"), "venue": COLUMNS["venue"]}),
        polars.DataFrame(COLUMNS),
    ]
    for source in sources:
        papers = read_papers(source, ["title"], "venue")
        assert (papers.texts, papers.venues) == (EXPECTED, COLUMNS["venue"])


def test_lone_surrogates_become_question_marks():
    assert read_papers({"title": ["a\ud800b"]}, ["title"], None).texts == {"title": ["a?b"]}


def error_of(data, fields=("title",), label="venue"):
    with pytest.raises((ValueError, TypeError)) as caught:
        read_papers(data, fields, label)
    return str(caught.value)


def test_missing_column_is_named_with_those_there():
    expected = "data: expected a column 'abstract', got the columns ['title', 'year', 'venue']"
    for source in (COLUMNS, pyarrow.table(COLUMNS), pandas.DataFrame(COLUMNS), polars.DataFrame(COLUMNS)):
        assert error_of(source, ["title", "abstract"]) == expected


def test_bad_columns():
    assert error_of(COLUMNS, ["year"]) == "column 'year', row 0: expected a string or null, got int"
    assert (
        error_of({"title": ["a"], "venue": [None]})
        == "column 'venue': expected a label for each paper, got none in row 0"
    )
    lengths = "data: expected columns of one length, got {'title': 2, 'venue': 1}"
    assert error_of({"title": ["a", "b"], "venue": ["x"]}) == lengths
    assert error_of({"title": [], "venue": []}) == "data: expected at least one paper, got none"
    assert error_of({"title": "abc", "venue": ["x"]}) == "column 'title': expected a sequence of texts, got str"
    assert error_of([1]) == "data: expected a path, a mapping of columns or a table, got list"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"title,venue\n\xff\xfe,ACL\n", "a.csv: expected a .csv file in UTF-8, got 'utf-8' codec can't"),
        ("a.csv", b"title,venue\na,b,c\n", "a.csv, record 2: expected 2 values, got 3"),
        ("a.csv", b"", "a.csv: expected a column 'title', got the columns []"),
        ("a.jsonl", b"{", "a.jsonl: expected a .jsonl file in UTF-8, got Expecting property name"),
        ("a.jsonl", b"[1]\n", "a.jsonl, line 1: expected a JSON object, got list"),
        ("a.jsonl", b"[" * 100_000, "a.jsonl: expected a .jsonl file in UTF-8, got maximum recursion"),
        ("a.parquet", b"PAR1 no", "a.parquet: expected a Parquet file, got"),
        ("a.pkl", b"", "a.pkl: expected a .parquet, .csv or .jsonl file, got suffix '.pkl'"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert message in error_of(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_papers(tmp_path / "none.parquet", ["title"], "venue")
