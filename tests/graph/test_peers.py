"""The interpreter under PyTorch's and JAX's arrays: the whole table of cases, values and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from graph.cases import CASES, Case

import spusk as sp
import spusk.numpy as snp
from spusk.graph import Evaluator, leaves

pytestmark = pytest.mark.peers


@contextmanager
def float64_allowed(jax: ModuleType) -> Iterator[None]:
    """JAX computes in 32 bits unless told."""
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    with switch(True):
        yield


def disagreements(xp: Any) -> list[str]:
    """The cases whose value or gradients are not those that NumPy gives."""
    found = []
    for case in CASES:
        try:
            compare(case, xp)
        except Exception as error:
            found.append(f"{case.id}: {type(error).__name__} {str(error).strip().splitlines()[:1]}")
    return found


def compare(case: Case, xp: Any) -> None:
    inputs = [sp.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(case.args)]
    y = case.build(*inputs)
    outputs = [y]
    if y.dtype.kind == "f":
        variables = [x for x in inputs if x.dtype.kind == "f"]
        outputs += sp.backprop(y, variables, cotangent=np.ones(y.shape, y.dtype))
    feeds = dict(zip(inputs, case.args, strict=True))
    for ours, theirs in zip(sp.evaluate(outputs, feeds), sp.evaluate(outputs, feeds, xp=xp), strict=True):
        theirs = np.asarray(theirs)
        assert (theirs.shape, theirs.dtype) == (ours.shape, ours.dtype)
        np.testing.assert_allclose(theirs, ours, rtol=1e-6 if ours.dtype == np.float32 else 1e-12, atol=1e-12)


def test_torch_computes_every_case_as_numpy_does(peer) -> None:
    peer("torch")
    found = disagreements(peer("array_api_compat.torch"))
    assert [d for d in found if not d.startswith("sum-uint8")] == []  # torch sums uint8 as int64


def test_jax_computes_every_case_as_numpy_does(peer) -> None:
    jax = peer("jax")
    with float64_allowed(jax):
        assert disagreements(peer("jax.numpy")) == []


def test_jax_compiles_a_graph_that_it_interprets(peer) -> None:
    jax = peer("jax")
    x, w = sp.input("x", (4, 3), "float32"), sp.input("w", (3,), "float32")
    loss = (snp.tanh(x @ w) ** 2).sum()
    evaluator = Evaluator([loss, sp.backprop(loss, w)], [x, w])
    compiled = jax.jit(lambda x, w: evaluator(x, w, xp=jax.numpy))
    values = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3), np.ones(3, "float32")
    for ours, theirs in zip(evaluator(*values), compiled(*values), strict=True):
        np.testing.assert_allclose(np.asarray(theirs), ours, rtol=1e-5)


def test_our_gradients_are_those_of_torch(peer) -> None:
    torch = peer("torch")
    x = np.random.default_rng(0).normal(size=(5, 4))

    def f(x: sp.Tensor) -> sp.Tensor:
        return (snp.logsumexp(x @ x.T, axis=1) * snp.tanh(x.sum(axis=1))).sum()

    t = torch.tensor(x, requires_grad=True)
    (torch.logsumexp(t @ t.T, 1) * torch.tanh(t.sum(1))).sum().backward()
    np.testing.assert_allclose(sp.grad(f)(x), t.grad.numpy(), rtol=1e-11)


def test_our_hessian_vector_products_are_those_of_jax(peer) -> None:
    jax = peer("jax")
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 6))
    with float64_allowed(jax):
        f = lambda x: jax.numpy.sum(jax.numpy.sin(x) * x[::-1] ** 3)  # noqa: E731
        theirs = jax.jvp(jax.grad(f), (x,), (v,))[1]
        ours = sp.hvp(lambda x: (snp.sin(x) * x[::-1] ** 3).sum())(x, v)
        np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-11)


@pytest.mark.parametrize("library", ["array_api_compat.torch", "jax.numpy"])
def test_random_bits_are_the_same_on_every_backend(peer, library) -> None:
    xp = peer(library)
    key, counter = snp.asarray(np.array([9, 8], np.uint32)), snp.asarray(np.array([7, 6], np.uint32))
    bits = leaves.random_bits(key, counter, (1000,))
    with float64_allowed(peer("jax")):
        (theirs,) = sp.evaluate([bits], xp=xp)
    np.testing.assert_array_equal(np.asarray(theirs), bits.numpy())
