"""Zeros, ones and constants; identities; and orthogonal matrices that are uniform over their group."""

import math

import numpy as np
import pytest
from scipy import stats

from spusk.errors import InputError
from spusk.init import Constant, Identity, Ones, Orthogonal, Zeros
from spusk.nn.parameter import Parameter


def sample(initialiser, *shape, seed=0):
    return initialiser.sample(Parameter("0.weight", shape), np.random.default_rng(seed))


@pytest.mark.parametrize(("initialiser", "value"), [(Zeros(), 0), (Ones(), 1), (Constant(-0.5), -0.5)])
def test_constants_fill_the_shape(initialiser, value):
    weights = sample(initialiser, 3, 4)
    assert weights.shape == (3, 4)
    assert weights.dtype == np.float64
    assert (weights == value).all()


@pytest.mark.parametrize("gain", [1, math.sqrt(2), -0.5])
@pytest.mark.parametrize("shape", [(6, 6), (40, 7), (7, 40), (3, 3, 4, 8), (1, 1, 4, 16), (5, 2, 3), (1, 9)])
def test_orthogonal_has_orthonormal_columns_or_rows_times_gain(shape, gain):
    weights = sample(Orthogonal(gain), *shape)
    matrix = weights.reshape(-1, shape[-1])
    rows, columns = matrix.shape
    gram = matrix.T @ matrix if rows >= columns else matrix @ matrix.T

    assert weights.shape == shape
    np.testing.assert_allclose(gram, gain**2 * np.eye(min(rows, columns)), atol=1e-12)
    np.testing.assert_allclose(weights.astype(np.float32), weights, atol=1e-6)


def test_a_square_orthogonal_matrix_keeps_lengths():
    x = np.random.default_rng(1).standard_normal((10, 64))
    np.testing.assert_allclose(
        np.linalg.norm(x @ sample(Orthogonal(), 64, 64), axis=1), np.linalg.norm(x, axis=1), rtol=1e-12
    )


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 1), (2, 2), (0, 2), (2, 0)])
def test_each_entry_of_a_random_rotation_of_space_is_uniform(row, column):
    # A column of a Haar matrix is a uniform point of the sphere; in three dimensions its coordinates
    # are uniform on [−1, 1] (Archimedes). LAPACK's signs alone would make the diagonal mostly negative.
    rng = np.random.default_rng(7)
    parameter = Parameter("w", (3, 3))
    entries = [Orthogonal().sample(parameter, rng)[row, column] for _ in range(3000)]
    assert stats.kstest(entries, stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6)])
def test_signs_are_not_biased_anywhere(shape):
    rng = np.random.default_rng(11)
    parameter = Parameter("w", shape)
    positive = np.mean([Orthogonal().sample(parameter, rng) > 0 for _ in range(3000)], axis=0)
    np.testing.assert_allclose(positive, 0.5, atol=5 * 0.5 / math.sqrt(3000))


@pytest.mark.parametrize("shape", [(6, 4), (4, 4)])
def test_it_is_the_factor_whose_other_one_has_a_positive_diagonal(shape):
    weights, normal = sample(Orthogonal(), *shape, seed=3), np.random.default_rng(3).standard_normal(shape)
    r = weights.T @ normal
    np.testing.assert_allclose(r, np.triu(r), atol=1e-12)
    assert (np.diagonal(r) > 0).all()


def test_qr_without_the_signs_would_be_biased():
    rng = np.random.default_rng(11)
    raw = [np.linalg.qr(rng.standard_normal((4, 4)))[0][0, 0] > 0 for _ in range(3000)]
    assert abs(np.mean(raw) - 0.5) > 0.2


def test_rotations_and_reflections_are_equally_likely():
    rng = np.random.default_rng(5)
    parameter = Parameter("w", (4, 4))
    determinants = [np.linalg.det(Orthogonal().sample(parameter, rng)) for _ in range(3000)]
    assert abs(np.mean(determinants)) < 5 / math.sqrt(3000)


def test_identity_passes_its_input_through():
    np.testing.assert_array_equal(sample(Identity(), 4, 4), np.eye(4))
    np.testing.assert_array_equal(sample(Identity(gain=0.1), 4, 4), 0.1 * np.eye(4))


@pytest.mark.parametrize("shape", [(2, 5), (5, 2), (1, 3)])
def test_a_rectangular_identity_is_padded_with_zeros(shape):
    np.testing.assert_array_equal(sample(Identity(2), *shape), 2 * np.eye(*shape))


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 3), (7,), (3, 3, 3)])
@pytest.mark.parametrize("channels", [(4, 4), (2, 5), (5, 2)])
def test_a_convolution_identity_is_a_dirac_at_the_centre(kernel, channels):
    weights = sample(Identity(3), *kernel, *channels)
    centre = tuple(taps // 2 for taps in kernel)
    np.testing.assert_array_equal(weights[centre], 3 * np.eye(*channels))
    assert np.count_nonzero(weights) == min(channels)


def test_a_same_padded_convolution_with_identity_weights_copies_the_image():
    image = np.random.default_rng(2).standard_normal((6, 8, 3))
    weights = sample(Identity(), 3, 5, 3, 3)
    padded = np.pad(image, ((1, 1), (2, 2), (0, 0)))
    output = sum(padded[a : a + 6, b : b + 8] @ weights[a, b] for a in range(3) for b in range(5))
    np.testing.assert_array_equal(output, image)


def test_the_centre_of_an_even_kernel_is_the_left_of_the_middle():
    assert np.argwhere(sample(Identity(), 4, 2, 1, 1)).tolist() == [[1, 0, 0, 0]]


@pytest.mark.parametrize("initialiser", [Orthogonal(), Identity()], ids=repr)
@pytest.mark.parametrize("shape", [(5,), ()])
def test_one_axis_is_not_a_matrix(initialiser, shape):
    name = type(initialiser).__name__
    with pytest.raises(InputError) as error:
        sample(initialiser, *shape)
    assert str(error.value) == (
        f"{name} got parameter '0.weight' of shape {shape}; it needs at least two axes, (…, n_in, n_out)"
    )
