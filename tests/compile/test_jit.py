"""Compiled functions: what they are given, how they are named, and how they travel."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.errors import InputError

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])


def doubled(x):
    return x * 2


@sp.jit
def halved(x):
    return x / 2


@BACKENDS
@pytest.mark.parametrize("f", [np.sin, doubled])
def test_a_compiled_function_can_be_pickled_and_copied(backend, f):
    made = sp.jit(f, backend)
    expected = made([0.5, 1.0])
    for other in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        np.testing.assert_array_equal(other([0.5, 1.0]), expected)


def test_a_decorated_function_is_pickled_by_its_name():
    assert copy.deepcopy(halved) is halved
    assert halved.__name__ == "halved"
    assert halved([1.0]).tolist() == [0.5]


@BACKENDS
def test_the_inputs_have_the_names_of_the_parameters(backend):
    def f(weights, x, *more):
        return weights["w"] * snp.take(x, more[0]) + more[1]

    with pytest.raises(InputError, match=r"^take got an index outside"):
        sp.jit(f, backend)({"w": 1.0}, [1.0], [1], 2.0)
    seen = []

    def g(weights, x, *more):
        seen.extend(t.primitive.label for t in (weights["w"], x, *more))
        return x

    sp.jit(g, backend)({"w": 1.0}, [1.0], [1], 2.0)
    assert seen == ["weights['w']", "x", "more[0]", "more[1]"]


@pytest.mark.parametrize("transform", [sp.jit, sp.grad, sp.value_and_grad, sp.jacobian, sp.hvp])
def test_what_is_no_function_is_refused(transform):
    with pytest.raises(InputError, match=rf"^{transform.__name__} got the int 3; it needs a function$"):
        transform(3)
