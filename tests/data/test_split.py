"""A split divides the rows, and lets nothing of the validation part into the scaling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from spusk import data
from spusk.errors import InputError, ShapeError
from spusk.streams import stream


def numbered(n=20, classes=2):
    """Row i holds the number i."""
    return data.arrays(np.arange(n, dtype=float)[:, None], np.arange(n) % classes)


def test_the_parts_share_no_row_and_leave_none_out():
    split = data.digits().split(0.2, seed=3)
    assert sorted([*split.train_rows, *split.val_rows]) == list(range(1797))
    assert len(split.val_x) == 359


def test_rows_and_labels_stay_together():
    digits = data.digits()
    split = digits.split(0.3, dtype=np.float64)
    np.testing.assert_array_equal(split.train_x, digits.x[split.train_rows])
    np.testing.assert_array_equal(split.val_y, digits.y[split.val_rows])


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    first, again, other = (data.iris().split(0.2, seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.train_rows, again.train_rows)
    np.testing.assert_array_equal(first.val_x, again.val_x)
    assert not np.array_equal(first.train_rows, other.train_rows)


def test_the_rows_are_those_of_scikit_learn_for_the_seed_of_the_stream():
    y = data.iris().y
    state = int(stream(5, "split").integers(2**32))
    train, val = train_test_split(np.arange(150), test_size=30, stratify=y, random_state=state)
    split = data.iris().split(0.2, seed=5)
    np.testing.assert_array_equal(split.train_rows, train)
    np.testing.assert_array_equal(split.val_rows, val)


@pytest.mark.parametrize("seed", range(3))
def test_classes_keep_their_shares(seed):
    y = np.array([0] * 80 + [1] * 20)
    split = data.arrays(np.zeros((100, 1)), y).split(0.2, seed=seed)
    assert np.bincount(split.val_y).tolist() == [16, 4]


def test_a_class_with_one_row_forgoes_stratification():
    split = data.arrays(np.zeros((10, 1)), [0] * 9 + [1]).split(0.2)
    assert len(split.val_x) == 2


def test_a_part_too_small_for_every_class_forgoes_stratification():
    assert len(numbered(20, classes=5).split(0.1).val_x) == 2


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_without_validation_the_validation_part_has_no_rows(nothing):
    split = data.wine().split(nothing)
    assert split.val_x.shape == (0, 13)
    assert split.val_y.shape == split.val_rows.shape == (0,)
    np.testing.assert_array_equal(split.train_rows, np.arange(178))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_are_contiguous_and_of_the_dtype_asked_for(dtype):
    for dataset in (data.diabetes(), data.iris()):
        split = dataset.split(dtype=dtype)
        target = dtype if dataset.task == "regression" else np.int64
        for part in (split.train_x, split.val_x):
            assert part.dtype == dtype
            assert part.flags.c_contiguous
        for part in (split.train_y, split.val_y):
            assert part.dtype == target
            assert part.flags.c_contiguous


def test_the_training_part_has_mean_0_and_deviation_1():
    split = data.breast_cancer().split(dtype=np.float64)
    np.testing.assert_allclose(split.train_x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(split.train_x.std(0), 1, rtol=1e-12)
    assert abs(split.val_x.mean(0)).max() > 1e-3


def test_the_validation_part_has_no_say_in_the_scaling():
    diabetes = data.diabetes()
    split = diabetes.split(0.3, seed=1, dtype=np.float64)
    x, y = diabetes.x.copy(), diabetes.y.copy()
    x[split.val_rows] *= 1000
    y[split.val_rows] += 1e6
    shifted = replace(diabetes, x=x, y=y).split(0.3, seed=1, dtype=np.float64)
    np.testing.assert_array_equal(shifted.train_x, split.train_x)
    np.testing.assert_array_equal(shifted.train_y, split.train_y)
    for name in ("shift", "scale", "fill", "target_shift", "target_scale"):
        np.testing.assert_array_equal(getattr(shifted.scaling, name), getattr(split.scaling, name))


def test_a_missing_value_becomes_the_mean_of_the_training_part():
    x = np.arange(20, dtype=float)[:, None]
    x[[3, 11]] = np.nan
    dataset = replace(numbered(), x=x)
    split = dataset.split(0.4, seed=2, dtype=np.float64)
    mean = np.nanmean(x[split.train_rows])
    filled = np.concatenate([split.train_x, split.val_x])[
        np.isin([*split.train_rows, *split.val_rows], [3, 11])
    ]
    assert filled.tolist() == [[mean], [mean]]


def test_a_column_missing_in_the_whole_training_part_becomes_0():
    dataset = replace(numbered(), x=np.full((20, 1), np.nan), standardise=True)
    split = dataset.split(0.4)
    assert not split.train_x.any()
    assert not split.val_x.any()


def test_a_constant_column_becomes_0():
    dataset = replace(numbered(), x=np.full((20, 1), 0.1), standardise=True)
    split = dataset.split(0.2)
    assert split.scaling.scale.tolist() == [1.0]
    np.testing.assert_allclose(split.train_x, 0, atol=1e-15)


def test_only_the_chosen_columns_are_standardised():
    dataset = data.arrays([[1.0, 1.0], [3.0, 3.0]], [0, 1], standardise=(True, False))
    assert dataset.split(None).train_x.tolist() == [[-1.0, 1.0], [1.0, 3.0]]


def test_images_are_standardised_pixel_by_pixel():
    images = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    split = data.arrays(images, [0, 1], standardise=True).split(None)
    assert split.train_x.shape == (2, 3, 3)
    assert split.scaling.shift.shape == (3, 3)
    assert np.unique(split.train_x).tolist() == [-1.0, 1.0]


def test_a_large_data_set_is_scaled_like_a_small_one():
    x = np.random.default_rng(0).normal(5, 3, (10_000, 2))
    split = data.arrays(x, np.arange(10_000) % 2, standardise=True).split(None, dtype=np.float64)
    np.testing.assert_allclose(split.train_x, (x - x.mean(0)) / x.std(0), rtol=1e-10)


def test_restoring_a_target_undoes_scaling_it():
    diabetes = data.diabetes()
    split = diabetes.split(dtype=np.float64)
    raw = diabetes.y[split.val_rows]
    np.testing.assert_allclose(split.scaling.restore_target(split.val_y), raw, rtol=1e-12)
    np.testing.assert_allclose(split.scaling.transform_target(raw), split.val_y, rtol=1e-12)


def test_new_rows_are_scaled_like_the_training_part():
    iris = data.iris()
    split = iris.split(dtype=np.float64)
    np.testing.assert_array_equal(split.scaling.transform(iris.x[split.val_rows]), split.val_x)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 4, 1)])
def test_rows_of_another_shape_are_refused(shape):
    with pytest.raises(ShapeError, match=r"fitted on rows of shape \(n, 4\)"):
        data.iris().split().scaling.transform(np.zeros(shape))


@given(n=st.integers(2, 60), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**40))
@settings(max_examples=60, deadline=None)
def test_every_fraction_splits_or_says_which_part_would_be_empty(n, fraction, seed):
    n_val = round(fraction * n)
    if n_val in (0, n):
        with pytest.raises(InputError, match="leaves no row for"):
            numbered(n).split(fraction, seed)
    else:
        split = numbered(n).split(fraction, seed)
        assert sorted([*split.train_rows, *split.val_rows]) == list(range(n))
        assert len(split.val_rows) == n_val


class TestValidationFromOutside:
    def test_keeps_every_row_for_training(self):
        iris = data.iris()
        split = iris.split((iris.x[:10], iris.y[:10]))
        assert len(split.train_x) == 150
        assert len(split.val_x) == 10
        assert split.val_rows.shape == (0,)
        np.testing.assert_array_equal(split.val_x, split.train_x[:10])

    def test_labels_mean_what_they_meant_to_the_data_set(self):
        dataset = data.arrays([[0.0], [1.0], [2.0]], ["cat", "dog", "owl"])
        assert dataset.split(([[5.0], [6.0]], ["owl", "cat"])).val_y.tolist() == [2, 0]
        assert dataset.split(([[5.0], [6.0]], [2, 0])).val_y.tolist() == [2, 0]

    def test_another_data_set_is_matched_by_the_names_of_its_classes(self):
        dataset = data.arrays([[0.0], [1.0], [2.0]], ["cat", "dog", "owl"])
        other = data.arrays([[0.0], [1.0]], ["owl", "dog"])
        assert dataset.split(other).val_y.tolist() == [2, 1]

    def test_a_regression_target_is_scaled(self):
        dataset = data.arrays([[0.0], [1.0]], [10.0, 20.0], standardise_target=True)
        assert dataset.split(([[0.5]], [15.0])).val_y.tolist() == [0.0]

    @pytest.mark.parametrize(
        ("validation", "sentence"),
        [
            (([[1.0, 2.0, 3.0]], [0]), "one validation row has shape (3,); a row of arrays has (1,)"),
            (([[np.inf]], [0]), "the validation x[0, 0] is inf; every value must be finite"),
            (([[1.0]], [0, 1]), "the validation y has shape (2,); it needs one label for each of the 1 rows"),
            (([[1.0]], [9]), "the validation y[0] is '9'; the classes are 0, 1"),
            (([[1.0]], [0], [1]), "validation holds 3 arrays; it must be (x, y)"),
            (data.diabetes(), "diabetes is for regression; arrays is for classification"),
        ],
    )
    def test_is_refused_in_a_sentence_where_it_does_not_fit(self, validation, sentence):
        with pytest.raises(InputError) as error:
            numbered().split(validation)
        assert sentence in str(error.value)

    def test_must_have_the_same_features(self):
        iris = data.iris()
        other = replace(iris, features=("length", *iris.features[1:]))
        with pytest.raises(InputError, match=r"iris and iris differ in their features: length, sepal length"):
            iris.split(other)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), True, "half"])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(InputError, match="it must be a fraction, at least 0 and less than 1"):
        numbered().split(fraction)


@pytest.mark.parametrize(("fraction", "part"), [(0.01, "validation"), (0.99, "training")])
def test_a_fraction_that_empties_a_part_is_refused(fraction, part):
    with pytest.raises(InputError) as error:
        numbered().split(fraction)
    assert str(error.value) == f"validation={fraction} of the 20 rows of arrays leaves no row for {part}"


def test_a_number_too_large_for_float32_is_refused_and_float64_holds_it():
    dataset = data.arrays([[0.0, 1e300], [0.0, 1.0]], [0, 1], features=("a", "b"))
    with pytest.raises(InputError, match="column 'b' of arrays holds a number too large for float32"):
        dataset.split(None)
    assert dataset.split(None, dtype=np.float64).train_x[0, 1] == 1e300


def test_a_target_too_large_for_float32_is_refused():
    with pytest.raises(InputError, match="the target of arrays holds a number too large for float32"):
        data.arrays([[0.0], [1.0]], [1e300, 2.0]).split(None)


def test_integers_cannot_hold_scaled_values():
    with pytest.raises(InputError, match="dtype is int32; it must be float32 or float64"):
        numbered().split(dtype=np.int32)
