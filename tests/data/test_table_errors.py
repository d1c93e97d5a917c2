"""A table that cannot be used is refused in one sentence that says where, what was found and what to do."""

import duckdb
import pytest

from spusk import data
from spusk.errors import InputError

DAY = "x,y\n1,a\n2,b\n"
MANY = "x,y\n" + "".join(f"name {i},{i % 2}\n" for i in range(101))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.xlsx", DAY, "cannot read files named *.xlsx; known extensions are .csv, .tsv, .txt, .parquet"),
        ("a", DAY, "cannot read a file without an extension; known extensions are .csv"),
        ("a.csv", "", "a.csv is empty (0 bytes)"),
        ("a.csv", " \n\n \n", "a.csv is empty; it needs a header line and rows"),
        ("a.csv", "x,y\n", "a.csv has a header but no rows"),
        ("a.csv", "x,Y\n1,a\n", "a.csv has no column 'y'; did you mean 'Y'?"),
        ("a.csv", "x,z\n1,a\n", "a.csv has no column 'y'; known are: x, z"),
        ("a.csv", "y\na\nb\n", "the target 'y' is the only column; nothing is left to learn from"),
        ("a.csv", "x,y\n1,a\n2,a\n", "a.csv: column 'y' holds only one class, 'a'; classification needs"),
        ("a.csv", "x,x,y\n1,2,a\n", "a.csv: two columns are named 'x'; every column needs its own name"),
        ("a.csv", ",x,y\n0,1,a\n1,2,b\n", "column1 has no name in the header and may be a row number"),
        ("a.csv", "x,y\n1,a\n2\n", "a.csv: line 3 has 1 value; the header has 2 names"),
        ("a.csv", "x,y\n" + "1,a\n" * 30 + "1,2,3\n", "a.csv: line 32 has 3 values; the header has 2 names"),
        ("a.csv", "x,y\n1,2,3\n1,2,3\n", "a.csv: line 2 has 3 values; the header has 2 names"),
        ("a.csv", 'x,y\n1,"a\n2,b\n3,c\n', "a.csv: line 2 opens a quote that is never closed"),
        ("a.csv", 'x,y\n1,"a"b\n2,b\n', "a.csv: line 2 has a quote in the wrong place"),
        ("a.csv", "x,y\n1,é\n2,b\n".encode("latin-1"), "line 2 is not UTF-8 text; save the file as UTF-8"),
        ("a.csv", DAY.encode("utf-16"), "line 1 is not UTF-8 text; save the file as UTF-8"),
        ("a.csv", "x,y\r\n1,a\n2,b\r\n", "its lines do not fit one CSV layout"),
        ("a.csv", "x,y\n1,a\ninf,b\n", "column 'x', row 2 (line 3), is infinite or too large"),
        ("a.csv", 'x,z,y\n1,"a\nb",u\n\n1e999,b,v\n', "column 'x', row 2 (line 5), is infinite or too large"),
        ("a.csv", "x,z,y\n1,,a\n,,b\n3,u,\n", "missing values: 1 in 'x', 2 in 'z', 1 in 'y'; fill them with"),
        ("a.csv", "x,y\n1,a\nnan,b\n", "missing values: 1 in 'x'; fill them with --missing mean, or leave"),
        ("a.csv", "x,z z,y\n1,,a\n2,,b\n", "'z z' is missing in every row; leave it out with --ignore 'z z'"),
        ("a.csv", "x,y\n1,\n2,\n", "the target 'y' is missing in every row"),
        ("a.csv", MANY, "column 'x' holds 101 different texts, such as 'name 0', and at most 100 can become"),
        ("a.csv", "\n  \nx,y\n1,a\ninf,b\n", "column 'x', row 2 (line 5), is infinite or too large"),
        ("a.csv", ",,\n1,2,3\n", "a.csv has no column 'y'"),
        ("a.json", "[]", "a.json: it cannot be read: it holds no rows"),
        ("a.json", "[1, 2]", "a JSON table is an array, or lines, of objects"),
        ("a.json", '[{"x": 1}, {"x": }]', "it cannot be read: Malformed JSON"),
        ("a.jsonl", '{"x": 1, "x": 2, "y": 1}', 'has duplicate key "x"'),
        ("a.json", '[{"x": [1], "y": 1}]', "column 'x' holds values of type BIGINT[], but only numbers"),
        ("a.json", '[{"x": {"u": 1}, "y": 1}]', "column 'x' holds values of type STRUCT(u BIGINT), but only"),
        ("a.json", '[{"x": null, "y": 1}, {"x": null, "y": 2}]', "'x' is missing in every row"),
        ("a.parquet", "hello", "a.parquet: it cannot be read:"),
        ("a.parquet", b"PAR1" + b"\0" * 100 + b"PAR1", "a.parquet: it cannot be read:"),
    ],
)
def test_a_bad_table_is_refused(write, name, content, sentence):
    with pytest.raises(InputError) as error:
        data.table(write(name, content), "y")
    message = str(error.value)
    assert sentence in message
    assert name in message
    assert "\n" not in message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file '.*gone\.csv'"):
        data.table(tmp_path / "gone.csv", "y")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(InputError, match="is a folder; a table is a file"):
        data.table(tmp_path, "y")


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (
            "x,y\n1,2\n2,12 kg\n",
            {"task": "regression"},
            "column 'y', row 2 (line 3), is '12 kg'; regression needs",
        ),
        (
            "x,y\n1,\n2,b\n3,1\n",
            {"task": "regression", "missing": "drop"},
            "column 'y', row 2 (line 3), is 'b'",
        ),
        (
            "x,y\n1,1\n2,0.5\n",
            {"task": "classification"},
            "column 'y', row 2 (line 3), is 0.5; a class is a whole",
        ),
        (
            "x,y\n1,2020-01-01\n2,2020-01-02\n",
            {"task": "classification"},
            "row 1 (line 2), is a date; a class is",
        ),
        (DAY, {"task": "clasification"}, "there is no task 'clasification'; did you mean 'classification'?"),
        (DAY, {"missing": "median"}, "missing is 'median'; it must be 'mean' or 'drop'"),
        (DAY, {"ignore": ["z"]}, "a.csv has no column 'z'; known are: x, y"),
        (DAY, {"ignore": "y"}, "column 'y' cannot be both the target and ignored"),
        (DAY, {"ignore": ["x"]}, "the target 'y' is the only column; nothing is left to learn from"),
        (
            "x,z,y\n1,,a\n,2,b\n",
            {"missing": "drop"},
            "every row has a missing value, so --missing drop leaves none",
        ),
        ("x,y\n1,a\n,b\n", {"missing": "drop"}, "column 'y' holds only one class, 'a'"),
    ],
)
def test_options_that_do_not_suit_the_table_are_refused(write, text, options, sentence):
    with pytest.raises(InputError) as error:
        data.table(write("a.csv", text), "y", **options)
    assert sentence in str(error.value)


def test_a_nameless_row_number_can_be_ignored(write):
    path = write("a.csv", ",x,y\n0,1,a\n1,2,b\n")
    assert data.table(path, "y", ignore=["column1"]).features == ("x",)


def test_a_row_of_parquet_has_no_line(tmp_path):
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'inf'::DOUBLE AS x, 1 AS y) TO '{path}'")
    with pytest.raises(InputError, match="column 'x', row 1, is infinite"):
        data.table(path, "y")


def test_raw_bytes_in_parquet_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'ab'::BLOB AS x, 1 AS y) TO '{path}'")
    with pytest.raises(InputError, match="column 'x' holds values of type BLOB"):
        data.table(path, "y")


def test_a_target_whose_every_row_is_a_class_of_its_own_is_refused(write):
    rows = "".join(f"{i}.5,name{i}\n" for i in range(12))
    with pytest.raises(InputError, match="column 'b' holds a different text in each of its 12 rows"):
        data.table(write("a.csv", "a,b\n" + rows), "b")
