"""The built-in sets are what their sources say, and a seed fixes the made-up ones."""

import subprocess
import sys

import numpy as np
import pytest

from spusk import data
from spusk.data import SOURCES
from spusk.errors import InputError

SHAPES = {  # rows, features, classes: the published descriptions of the data sets
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, 0),
    "moons": (1000, 2, 2),
    "circles": (1000, 2, 2),
    "spirals": (1000, 2, 3),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_its_published_shape(name):
    dataset = SOURCES[name]()
    assert (len(dataset), dataset.n_features, dataset.n_classes) == SHAPES[name]
    assert dataset.name == name
    assert np.isfinite(dataset.x).all()
    assert len(dataset.features) == dataset.n_features
    assert len(dataset.classes) == dataset.n_classes


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "diabetes"])
def test_every_class_has_rows(name):
    dataset = SOURCES[name]()
    assert np.unique(dataset.y).tolist() == list(range(dataset.n_classes))


def test_digits_lie_between_0_and_1_and_stay_there():
    split = data.digits().split()
    assert split.train_x.min() == 0
    assert split.train_x.max() == 1


def test_diabetes_comes_in_raw_units():
    assert 19 <= data.diabetes().x[:, 0].min() <= data.diabetes().x[:, 0].max() <= 79  # age in years


@pytest.mark.parametrize("make", [data.moons, data.circles, data.spirals])
def test_a_seed_fixes_the_points(make):
    np.testing.assert_array_equal(make(100, seed=1).x, make(100, seed=1).x)
    assert not np.array_equal(make(100, seed=1).x, make(100, seed=2).x)


def test_without_noise_circles_have_their_radii():
    circles = data.circles(100, noise=0, factor=0.3)
    np.testing.assert_allclose(np.linalg.norm(circles.x, axis=1), np.where(circles.y == 0, 1.0, 0.3))


def test_without_noise_every_spiral_point_lies_on_its_arm():
    spirals = data.spirals(300, classes=4, noise=0, turns=1.5)
    radius = np.linalg.norm(spirals.x, axis=1)
    angle = np.arctan2(spirals.x[:, 1], spirals.x[:, 0])
    winding = angle / (2 * np.pi) - 1.5 * radius - spirals.y / 4
    np.testing.assert_allclose(winding - np.round(winding), 0, atol=1e-9)
    assert radius.max() <= 1
    assert np.bincount(spirals.y).tolist() == [75] * 4


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        (data.moons, {"n": 1}, "n is 1; it must be at least 2, a row for every class"),
        (data.moons, {"noise": -1}, "noise is -1; it must be a number of at least 0"),
        (data.circles, {"noise": float("nan")}, "noise is nan; it must be a number of at least 0"),
        (data.circles, {"factor": 1}, "factor is 1; it must be at least 0 and less than 1"),
        (data.spirals, {"classes": 1}, "classes is 1; it must be at least 2"),
        (data.spirals, {"n": 2}, "n is 2; it must be at least 3, a row for every class"),
        (data.spirals, {"turns": 0}, "turns is 0; it must be more than 0"),
        (data.spirals, {"seed": -1}, "seed is -1; it must be a non-negative whole number"),
    ],
)
def test_an_argument_out_of_range_is_refused(make, arguments, sentence):
    with pytest.raises(InputError) as error:
        make(**arguments)
    assert str(error.value) == sentence


def test_importing_the_room_imports_neither_scikit_learn_nor_duckdb():
    code = "import sys, spusk.data; print([m for m in ('sklearn', 'duckdb', 'scipy') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
