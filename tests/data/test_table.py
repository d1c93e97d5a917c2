"""A table is read as it is meant, whatever its separator, quotes or format."""

import datetime
import random

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spusk import data

PLAIN = "size,hue,kind\n1.5,red,a\n2.5,blue,b\n3.5,red,a\n"


def assert_same(one, other):
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.y, other.y)
    assert (one.features, one.classes, one.standardise) == (other.features, other.classes, other.standardise)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", PLAIN.replace(",", ";")),
        ("a.csv", PLAIN.replace(",", "|")),
        ("a.tsv", PLAIN.replace(",", "\t")),
        ("a.txt", PLAIN.replace(",", "\t")),
        ("a.CSV", PLAIN),
        ("a.csv", PLAIN.replace("\n", "\r\n")),
        ("a.csv", PLAIN.replace("\n", "\r")),
        ("a.csv", "\ufeff" + PLAIN),
        ("a.csv", PLAIN.rstrip("\n")),
        ("a.csv", "\n\n" + PLAIN.replace("\n2.5", "\n\n2.5") + "\n"),
        ("a.csv", PLAIN.replace(",", " , ")),
        ("a.csv", PLAIN.replace("\n", ",\n")),
        ("a.csv", PLAIN.replace("red", '"red"').replace("1.5", '"1.5"').replace("hue", '"hue"')),
        ("a.csv", PLAIN.replace(",", ";").replace(".", ",")),
        ('it\'s "one" of [them] *?.csv', PLAIN),
        ("space and é.csv", PLAIN),
    ],
)
def test_the_same_table_in_another_dress_is_the_same_data(write, name, text):
    assert_same(data.table(write(name, text), "kind"), data.table(write("plain.csv", PLAIN), "kind"))


@pytest.mark.parametrize("suffix", ["parquet", "json", "jsonl", "ndjson"])
def test_parquet_and_json_hold_the_same_data_as_csv(write, tmp_path, suffix):
    text = (
        "size,hue,day,flag,count,kind\n"
        "1.5,red,2020-01-02,true,3,a\n,,2021-03-04,false,5,b\n3.5,red,,true,7,a\n0.25,blå,1969-12-31,true,-1,b\n"
    )
    csv = write("a.csv", text)
    path = tmp_path / f"a.{suffix}"
    options = {"parquet": "FORMAT parquet", "json": "FORMAT json, ARRAY true"}.get(suffix, "FORMAT json")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_csv('{csv}')) TO '{path}' ({options})")
    assert_same(data.table(path, "kind", missing="mean"), data.table(csv, "kind", missing="mean"))


def test_columns_become_features_by_their_type(write):
    text = (
        "when,day,flag,hue,y\n"
        "2020-01-01 12:00:00,1970-01-02,true,red,a\n"
        "1970-01-01 00:00:00,1969-12-31,false,é,b\n"
    )
    dataset = data.table(write("a.csv", text), "y")
    assert dataset.features == ("when", "day", "flag", "hue=red", "hue=é")
    assert dataset.x.tolist() == [[18262.5, 1.0, 1.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0, 1.0]]
    assert dataset.standardise == (True, True, False, False, False)


def test_a_time_of_day_is_a_fraction_of_a_day(write):
    assert data.table(write("a.csv", "t,y\n06:00:00,a\n18:00:00,b\n"), "y").x.tolist() == [[0.25], [0.75]]


def test_moments_with_a_zone_do_not_depend_on_where_they_are_read(write, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    text = "t,y\n2020-01-01T00:00:00+01:00,a\n2020-01-01T00:00:00Z,b\n"
    days = data.table(write("a.csv", text), "y").x
    epoch = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC).timestamp() / 86400
    np.testing.assert_allclose(days[:, 0], [epoch - 1 / 24, epoch], rtol=1e-15)


def test_quotes_hold_separators_quotes_and_line_ends(write):
    text = '"a, b","say ""y"""\n1,"x, y"\n2,"two\nlines"\n3,"a ""b"""\n'
    dataset = data.table(write("a.csv", text), 'say "y"')
    assert dataset.features == ("a, b",)
    assert dataset.classes == ('a "b"', "two\nlines", "x, y")


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["a", "b", "a"], "classification", ("a", "b")),
        (["true", "false", "true"], "classification", ("false", "true")),
        (["yes", "no", "yes"], "classification", ("no", "yes")),
        (["3", "5", "10"], "classification", ("3", "5", "10")),
        (["0.0", "1.0", "0.0"], "classification", ("0", "1")),
        (["0.5", "1.0", "2.0"], "regression", ()),
        ([str(i) for i in range(20)], "classification", tuple(map(str, range(20)))),
        ([str(i) for i in range(21)], "regression", ()),
        (["2020-01-01", "2020-01-02", "2020-01-03"], "regression", ()),
    ],
)
def test_the_target_says_what_the_task_is(write, values, task, classes):
    rows = "".join(f"{i},{value}\n" for i, value in enumerate(values))
    dataset = data.table(write("a.csv", "x,y\n" + rows), "y")
    assert (dataset.task, dataset.classes) == (task, classes)
    assert dataset.standardise_target == (task == "regression")


def test_the_task_can_be_overridden(write):
    path = write("a.csv", "x,y,b\n" + "".join(f"{i},{i},{i % 2 == 0}\n" for i in range(30)))
    assert data.table(path, "y", task="classification").n_classes == 30
    assert data.table(path, "b", task="regression").y[:3].tolist() == [1.0, 0.0, 1.0]


def test_whole_labels_stay_classes_beside_a_missing_one(write):
    dataset = data.table(write("a.csv", "x,y\n1,0\n2,\n3,1\n"), "y", missing="drop")
    assert dataset.classes == ("0", "1")
    assert dataset.x.tolist() == [[1.0], [3.0]]


GAPS = "size,hue,kind\n1,red,a\n,blue,b\nNaN,,a\n4,red,\n9,red,b\n"


def test_a_missing_number_waits_for_the_mean_of_the_training_part(write):
    dataset = data.table(write("a.csv", GAPS), "kind", missing="mean")
    assert np.isnan(dataset.x[:, 0]).tolist() == [False, True, True, False]
    assert dataset.split(None, dtype=np.float64).scaling.fill[0] == 5.0
    assert dataset.split(None).train_x[1, 0] == 0.0


def test_a_missing_text_is_a_category_of_its_own(write):
    dataset = data.table(write("a.csv", GAPS), "kind", missing="mean")
    assert dataset.features == ("size", "hue=blue", "hue=missing", "hue=red")
    assert dataset.x[:, 2].tolist() == [0.0, 0.0, 1.0, 0.0]


def test_rows_with_gaps_can_be_dropped(write):
    dataset = data.table(write("a.csv", GAPS), "kind", missing="drop")
    assert dataset.x.tolist() == [[1.0, 1.0], [9.0, 1.0]]
    assert dataset.features == ("size", "hue=red")


@pytest.mark.parametrize("mark", ["", "NA", "n/a", "NaN", "null", "?", " "])
def test_marks_beside_numbers_mean_missing(write, mark):
    text = f"x,y\n1,a\n{mark},b\n3,a\n"
    assert np.isnan(data.table(write("a.csv", text), "y", missing="mean").x[:, 0]).tolist() == [
        False,
        True,
        False,
    ]


def test_a_mark_beside_texts_is_a_text(write):
    assert data.table(write("a.csv", "x,y\nNA,a\nDE,b\n"), "y").features == ("x=DE", "x=NA")


def test_a_row_that_starts_with_a_number_sign_is_a_row(write):
    assert len(data.table(write("a.csv", "x,y\n#1,a\n2,b\n"), "y")) == 2


def test_ignored_columns_are_not_even_looked_at(write):
    path = write("a.csv", "id,gap,x,y\n" + "".join(f"name{i},,{i},{i % 2}\n" for i in range(150)))
    assert data.table(path, "y", ignore=["id", "gap"]).features == ("x",)


def test_columns_that_differ_in_case_only_are_different_columns(write):
    dataset = data.table(write("a.csv", "a,A,y\n1,2,u\n3,4,v\n"), "y")
    assert dataset.features == ("a", "A")
    assert dataset.x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_folder_that_looks_like_a_partition_adds_no_column(tmp_path):
    (tmp_path / "year=2020").mkdir()
    path = tmp_path / "year=2020" / "a.csv"
    path.write_text("x,y\n1,a\n2,b\n")
    assert data.table(path, "y").features == ("x",)


def test_a_text_in_the_last_of_many_rows_does_not_spoil_the_reading(write):
    path = write("a.csv", "x,y\n" + "1,a\n" * 30_000 + "NA,b\n")
    dataset = data.table(path, "y", missing="mean")
    assert np.isnan(dataset.x[-1, 0])


def test_rows_keep_the_order_of_the_file(write):
    numbers = list(range(200_000))
    random.Random(0).shuffle(numbers)
    path = write("a.csv", "x,y\n" + "".join(f"{i},{i}\n" for i in numbers))
    assert data.table(path, "y").y.tolist() == numbers


def test_texts_in_parquet_stay_texts(tmp_path):
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (VALUES ('01', 1), ('1', 2)) TO '{path}'")
    assert data.table(path, "col1").features == ("col0=01", "col0=1")


def test_a_data_set_is_called_after_its_file(write):
    assert data.table(write("trees.csv", PLAIN), "kind").name == "trees"


@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**53), 2**53),
            st.floats(-1e6, 1e6),
        ),
        min_size=2,
        max_size=30,
    ),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_survive_a_csv_file(write, rows, separator, end):
    lines = [separator.join(["a", "b", "c"]), *(separator.join(map(repr, row)) for row in rows)]
    dataset = data.table(write("a.csv", end.join(lines) + end), "c", task="regression")
    assert dataset.x.tolist() == [[a, float(b)] for a, b, _ in rows]
    assert dataset.y.tolist() == [c for *_, c in rows]
