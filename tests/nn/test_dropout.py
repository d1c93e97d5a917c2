"""Dropout: how often, how large, and how independent its masks are."""

import numpy as np
import pytest
from scipy import stats

from spusk import nn, streams
from spusk.errors import InputError
from spusk.graph import Evaluator, backprop
from spusk.graph import input as new_input

KEY = streams.key(0, "dropout")
ONES = np.ones((200, 500), np.float32)


def masks(net, x, steps, key=KEY):
    return [net({}, x, training=True, key=key, step=step).numpy() != 0 for step in steps]


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_elements_are_dropped_with_probability_p_and_the_mean_is_kept(p):
    y = nn.Dropout(p)({}, ONES, training=True, key=KEY, step=1).numpy()

    kept = np.count_nonzero(y)

    assert stats.binomtest(kept, y.size, 1 - p).pvalue > 1e-3
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)
    assert y.mean() == pytest.approx(1, abs=0.05)


def test_rows_and_columns_are_dropped_alike():
    (kept,) = masks(nn.Dropout(0.5), ONES, [1])

    for axis in (0, 1):
        counts = kept.sum(axis=axis)
        expected = kept.shape[axis] / 2
        assert stats.chi2.sf(np.sum((counts - expected) ** 2 / (expected / 2)), counts.size) > 1e-3


def test_every_step_has_new_bits_and_a_step_repeated_has_the_same():
    first, second, again = masks(nn.Dropout(0.5), ONES, [1, 2, 1])

    assert (first == again).all()
    assert abs(correlation(first, second)) < 0.02


def test_every_layer_has_bits_of_its_own():
    both = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5))
    net = nn.Sequential(both, both)
    noted = {}

    net(nn.Scope({}, training=True, key=KEY, step=1, outputs=noted), ONES)

    first = noted["0.0"].numpy() != 0
    for path, before in [
        ("0.1", first),
        ("1.0", noted["0"].numpy() != 0),
        ("1.1", noted["1.0"].numpy() != 0),
    ]:
        share = (noted[path].numpy() != 0)[before].mean()
        assert share == pytest.approx(0.5, abs=0.02)


def test_another_key_gives_other_bits():
    (ours,), (other,) = (masks(nn.Dropout(0.5), ONES, [1], streams.key(seed, "dropout")) for seed in (0, 1))

    assert abs(correlation(ours, other)) < 0.02


def test_one_layer_draws_several_times_for_several_purposes():
    scope = nn.Scope({}, key=KEY, step=1)

    a, b, again = (scope.random_bits((10_000,), purpose).numpy() for purpose in ("a", "b", "a"))

    assert a.dtype == np.uint32
    assert (a == again).all()
    assert abs(correlation(a.astype(float), b.astype(float))) < 0.05


def test_outside_training_nothing_happens_and_no_key_is_needed():
    x = new_input("x", (3, 4))

    assert nn.Dropout(0.5)({}, x) is x
    assert nn.Dropout(0.0)({}, x, training=True) is x


def test_the_step_may_be_an_input_of_the_graph():
    x = new_input("x", ONES.shape)
    step = new_input("step", (), "float64", weak=True)
    key = new_input("key", (2,), "uint32")
    y = nn.Dropout(0.5)({}, x, training=True, key=key, step=step)

    found = Evaluator([y], [x, step, key])(ONES, np.float64(7), KEY)[0]

    np.testing.assert_array_equal(found, nn.Dropout(0.5)({}, ONES, training=True, key=KEY, step=7).numpy())
    assert found.dtype == np.float32


def test_the_gradient_passes_where_the_value_did():
    x = new_input("x", (50,))
    y = nn.Dropout(0.3)({}, x, training=True, key=KEY, step=1)

    value, slope = Evaluator([y, backprop(y.sum(), x)], [x])(np.ones(50, np.float32))

    np.testing.assert_array_equal(slope, value)


@pytest.mark.parametrize("given", [{}, {"step": 1}, {"key": KEY}])
def test_training_without_key_or_step_is_refused(given):
    net = nn.Sequential(nn.Dropout(0.5))
    missing = "step" if "key" in given else "key"

    with pytest.raises(
        InputError, match=rf"Dropout\(p=0\.5\) \(layer 0\) draws random numbers .* with {missing}=…"
    ):
        net({}, ONES, training=True, **given)
