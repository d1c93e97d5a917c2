"""A source is a built-in name or a file, and a slip of the pen is met with a hint."""

from pathlib import Path

import numpy as np
import pytest

from spusk import data
from spusk.errors import InputError


def test_a_name_loads_its_data_set():
    np.testing.assert_array_equal(data.load("iris").x, data.iris().x)


def test_a_path_loads_a_table(write):
    path = write("a.csv", "x,y,z\n1,a,2\n2,b,\n")
    for source in (path, str(path)):
        assert data.load(source, target="y", missing="drop", task=None, ignore=["z"]).x.tolist() == [
            [1.0],
            [2.0],
        ]


def test_a_name_wins_over_a_file_and_a_path_is_a_file(write, monkeypatch):
    monkeypatch.chdir(write("digits", "x,y\n1,a\n").parent)
    assert len(data.load("digits")) == 1797
    with pytest.raises(InputError, match="cannot read"):
        data.load(Path("digits"), target="y")


@pytest.mark.parametrize(
    ("source", "options", "sentence"),
    [
        ("digitz", {}, "no file and no built-in data set named 'digitz'; did you mean 'digits'?"),
        ("nothing.csv", {"target": "y"}, "there is no file 'nothing.csv'"),
        ("nothing.csv", {}, "there is no file 'nothing.csv'"),
        ("digits", {"target": "y"}, "'digits' is a built-in data set, ready to use; --target is for files"),
        (
            "digits",
            {"missing": "mean"},
            "'digits' is a built-in data set, ready to use; --missing is for files",
        ),
        (
            "digits",
            {"task": "regression"},
            "'digits' is a built-in data set, ready to use; --task is for files",
        ),
        ("digits", {"ignore": ["a"]}, "'digits' is a built-in data set, ready to use; --ignore is for files"),
    ],
)
def test_a_source_that_does_not_exist_or_suit_is_refused(source, options, sentence):
    with pytest.raises(InputError) as error:
        data.load(source, **options)
    assert str(error.value) == sentence


def test_a_file_without_a_target_lists_its_columns(write):
    with pytest.raises(
        InputError, match=r"a\.csv needs --target, the column to predict; its columns are x, y"
    ):
        data.load(write("a.csv", "x,y\n1,a\n"))


def test_a_folder_is_no_source(tmp_path):
    with pytest.raises(InputError, match="is a folder; a table is a file"):
        data.load(tmp_path)
