"""x[...] is NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, InputError, ShapeError

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def numbers(shape) -> np.ndarray:
    return np.arange(float(np.prod(shape))).reshape(shape)


@settings(max_examples=300, deadline=None)
@given(st.data(), shapes)
def test_integers_slices_none_and_ellipsis_index_as_in_numpy(data, shape) -> None:
    x = numbers(shape)
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    found = snp.asarray(x)[key]
    assert found.shape == x[key].shape
    np.testing.assert_array_equal(found.numpy(), x[key])


@settings(max_examples=200, deadline=None)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
def test_adjacent_integer_arrays_index_as_in_numpy(data, shape) -> None:
    x = numbers(shape)
    first = data.draw(st.integers(0, len(shape) - 1))
    last = data.draw(st.integers(first, len(shape) - 1))
    dtype = data.draw(st.sampled_from(["int64", "int8", "uint8"]))
    common = data.draw(hnp.broadcastable_shapes((2, 3), max_dims=2, max_side=3))
    key: list = [
        data.draw(st.sampled_from([slice(None), slice(None, None, -1), slice(1, None)])) for _ in range(first)
    ]
    for n in shape[first : last + 1]:
        low = 0 if dtype == "uint8" else -n
        key.append(
            data.draw(
                hnp.arrays(dtype, data.draw(st.sampled_from([common, ()])), elements=st.integers(low, n - 1))
            )
        )
    if data.draw(st.booleans()):
        key.append(...)
    key = tuple(
        k.tolist() if isinstance(k, np.ndarray) and k.ndim and data.draw(st.booleans()) else k for k in key
    )
    np.testing.assert_array_equal(snp.asarray(x)[key].numpy(), x[key])


@pytest.mark.parametrize(
    "key",
    [
        np.s_[[0, 2]],
        np.s_[[]],
        np.s_[:, [1]],
        np.s_[1, [0, 2]],
        np.s_[[0, 2], 1],
        np.s_[[0, 1], [2, 0]],
        np.s_[..., [0, -1]],
        np.s_[None, [0, 1]],
        np.s_[[0, 1], None],
        np.s_[::2, None, ::-1],
        np.s_[np.int64(1)],
        np.s_[np.array(1), 0],
        np.s_[np.array([[0], [1]]), np.array([0, 1, 2])],
        np.s_[-1],
        np.s_[...],
        np.s_[()],
        np.s_[5:, 0],
        np.s_[:-7:-1],
        np.s_[1:0],
        np.s_[-100:100:7],
    ],
)
def test_a_key_gives_what_numpy_gives_and_its_gradient_goes_to_the_chosen_elements(key) -> None:
    x = numbers((3, 4)) + 1
    t = sp.input("x", (3, 4), "float64")
    np.testing.assert_array_equal(t[key].numpy({t: x}), x[key])
    expected = np.zeros_like(x)
    np.add.at(expected, key, 2 * x[key])
    np.testing.assert_array_equal(sp.grad(lambda x: (x[key] ** 2).sum())(x), expected)


def test_indices_may_be_computed_in_the_graph() -> None:
    i = sp.input("i", (2,), "int64")
    x = np.array([[1.0, 5.0], [7.0, 2.0]])
    np.testing.assert_array_equal(snp.asarray(x)[i, snp.argmax(x, 1)].numpy({i: [1, 0]}), [2, 1])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_small_index_dtypes_reach_every_element_of_a_large_array(dtype) -> None:
    x = numbers((300, 20))
    i = np.array([100, 5], dtype=dtype)
    j = np.array([7, 19], dtype=dtype)
    np.testing.assert_array_equal(snp.asarray(x)[i, j].numpy(), x[i, j])
    flat = snp.take_along_axis(x.T, np.tile(i, (20, 1)), axis=1)
    np.testing.assert_array_equal(
        flat.numpy(), np.take_along_axis(x.T, np.tile(i, (20, 1)).astype("int64"), 1)
    )


def test_iteration_goes_over_the_first_axis() -> None:
    rows = list(snp.asarray(numbers((3, 2))))
    assert [r.numpy().tolist() for r in rows] == [[0, 1], [2, 3], [4, 5]]
    a, b = snp.asarray([1.0, 2.0])
    assert (float(a), float(b)) == (1, 2)
    with pytest.raises(TypeError, match=r"shape \(\) has no length"):
        iter(snp.asarray(1.0)).__next__()


@pytest.mark.parametrize(
    ("key", "error", "sentence"),
    [
        (
            np.array([True, False, True]),
            DTypeError,
            "a boolean mask gives a shape that depends on values; choose with",
        ),
        (True, DTypeError, "a boolean mask"),
        (np.True_, DTypeError, "a boolean mask"),
        (1.0, DTypeError, "an index is an integer, a slice, None, ... or an integer array, not 1.0"),
        ("a", DTypeError, "an index is an integer"),
        (np.array([0.5]), DTypeError, "an index needs whole numbers and got float64"),
        (3, IndexError, r"index 3 is out of range for axis 0 of shape \(3, 4\)"),
        ((0, -5), IndexError, r"index -5 is out of range for axis 1 of shape \(3, 4\)"),
        ((0, 0, 0), ShapeError, r"has too many axes for shape \(3, 4\)"),
        ((..., 0, ...), ShapeError, "has too many axes"),
        (([0, 1], None, [0, 1]), ShapeError, "integers and integer arrays must index adjacent axes"),
        (([0, 1], [0, 1, 2]), ShapeError, "do not broadcast"),
    ],
)
def test_an_impossible_index_is_refused_in_a_sentence_with_the_users_line(key, error, sentence) -> None:
    x = sp.input("x", (3, 4))
    with pytest.raises(error, match=sentence + r".*\(test_indexing\.py:\d+\)"):
        x[key]


def test_what_numpy_would_reorder_is_refused() -> None:
    x = sp.input("x", (3, 4, 5))
    for key in (np.s_[0, :, [1, 2]], np.s_[[1, 2], :, 0], np.s_[[0], :, [1]], np.s_[0, None, [1, 2]]):
        with pytest.raises(ShapeError, match="adjacent"):
            x[key]


@pytest.mark.parametrize("key", [np.s_[[0, 4]], np.s_[[0, 0], [1, 4]], np.s_[[-4], [0]], np.s_[[0], [-5]]])
def test_an_index_out_of_range_is_an_error_and_never_another_element(key) -> None:
    with pytest.raises(
        InputError, match=r"take got an index outside of an axis of length \d+ \(test_indexing"
    ):
        snp.asarray(numbers((3, 4)))[key].numpy()


def test_take_along_axis_never_reads_another_row() -> None:
    x = numbers((3, 4))
    for bad in (4, -5):
        with pytest.raises(
            InputError, match=r"take got an index outside of an axis of length 12 \(test_index"
        ):
            snp.take_along_axis(x, [[0], [bad], [0]]).numpy()
