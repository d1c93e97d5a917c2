"""The user's arrays are used as they are, or refused in a sentence."""

import numpy as np
import pytest

from spusk import data
from spusk.errors import InputError

X = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize(
    ("y", "task", "numbers", "classes"),
    [
        ([5, 3, 5], "classification", [1, 0, 1], ("3", "5")),
        ([10, 9, 10], "classification", [1, 0, 1], ("9", "10")),
        ([True, False, True], "classification", [1, 0, 1], ("False", "True")),
        (["b", "a", "é"], "classification", [1, 0, 2], ("a", "b", "é")),
        (np.array(["b", "a", "b"], object), "classification", [1, 0, 1], ("a", "b")),
        (np.array([1, 2, 1], object), "classification", [0, 1, 0], ("1", "2")),
        ([[1], [0], [1]], "classification", [1, 0, 1], ("0", "1")),
        ([0.5, 1.0, 2.0], "regression", [0.5, 1.0, 2.0], ()),
    ],
)
def test_the_labels_say_what_the_task_is(y, task, numbers, classes):
    dataset = data.arrays(X, y)
    assert (dataset.task, dataset.classes) == (task, classes)
    assert dataset.y.tolist() == numbers
    assert dataset.y.dtype == (np.float64 if task == "regression" else np.int64)


def test_the_task_can_be_overridden():
    assert data.arrays(X, [1, 2, 3], task="regression").y.dtype == np.float64
    assert data.arrays(X, [1.0, 2.0, 1.0], task="classification").classes == ("1", "2")


def test_given_classes_number_the_labels_even_those_without_a_row():
    assert data.arrays(X, [2, 0, 2], classes=("a", "b", "c")).y.tolist() == [2, 0, 2]
    assert data.arrays(X, ["c", "a", "c"], classes=("c", "b", "a")).y.tolist() == [0, 2, 0]
    assert data.arrays(X, [2, 0, 2], classes=("a", "b", "c")).n_classes == 3


def test_the_numbers_are_used_as_they_are():
    split = data.arrays(X, [10.0, 20.0, 30.0]).split(None, dtype=np.float64)
    assert split.train_x.tolist() == X
    assert split.train_y.tolist() == [10.0, 20.0, 30.0]


def test_whole_number_inputs_become_floats():
    assert data.arrays([[0, 1], [1, 0]], [0, 1]).split(None).train_x.dtype == np.float32


def test_inputs_may_have_any_shape():
    dataset = data.arrays(np.zeros((2, 4, 4, 3), np.uint8), [0, 1])
    assert dataset.n_features == 48
    assert repr(dataset) == "Dataset('arrays': 2 rows of 4×4×3, classification into 2 classes)"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([[0.0, np.nan]], [0]), "x[0, 1] is nan; every value must be finite"),
        (([[0.0], [-np.inf]], [0, 1]), "x[1, 0] is -inf; every value must be finite"),
        ((X, [0.0, np.nan, 1.0]), "y[1] is nan; every value must be finite"),
        ((X, [0, 1]), "y has shape (2,); it needs one label for each of the 3 rows of x"),
        ((X, np.zeros((3, 2))), "y has shape (3, 2); it needs one label for each of the 3 rows of x"),
        ((X, [1, 1, 1]), "y holds only one class, '1'; classification needs at least two"),
        (([0.0, 1.0], [0, 1]), "x has shape (2,); it needs a row for every example, such as (n, 1)"),
        ((np.zeros((0, 2)), []), "x has shape (0, 2); it needs at least one row and one column"),
        ((np.zeros((2, 0)), [0, 1]), "x has shape (2, 0); it needs at least one row and one column"),
        (([["a"], ["b"]], [0, 1]), "x holds texts; it must hold numbers"),
        (([[1.0], [1.0, 2.0]], [0, 1]), "x is not an array: its rows differ in length"),
        ((np.array([[1, None]], object), [0]), "x[0, 1] is None; it must be a number"),
        ((X, np.array(["a", None, "b"], object)), "y[1] is None; a label must be a whole number, a boolean"),
        ((X, ["1", "b", "2"], "regression"), "y[0] is '1'; a label must be a number for regression"),
        (
            (X, [0.0, 0.5, 1.0], "classification"),
            "y[1] is 0.5; a class is a whole number, a boolean or a text",
        ),
        ((X, [0, 1, 0], "regresion"), "there is no task 'regresion'; did you mean 'regression'?"),
        ((X, ["a", "x", "b"], None, ("a", "b")), "y[1] is 'x'; the classes are a, b"),
        ((X, [0, 1, 2], None, ("a", "b")), "y[0] is '0'; the classes are a, b"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(InputError) as error:
        data.arrays(*arguments)
    assert sentence in str(error.value)


def test_a_name_or_answer_is_needed_for_every_column():
    with pytest.raises(InputError, match="features has 1 entries; x has 2 columns"):
        data.arrays(X, [0, 1, 0], features=("a",))
    with pytest.raises(InputError, match="standardise has 3 entries; x has 2 columns"):
        data.arrays(X, [0, 1, 0], standardise=(True, False, True))
