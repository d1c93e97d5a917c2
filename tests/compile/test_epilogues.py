"""Cheap loops over a matrix product are done to its sums while they are in registers."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk import backprop
from spusk.compile import Program
from spusk.compile.kernels import DotKernel, LoopKernel

SHAPES = [(32, 64, 32), (7, 5, 3), (2, 1, 2), (33, 17, 41), (3, 0, 4)]

AFTER = {
    "bias and relu": lambda z, b, r: snp.maximum(z + b, 0),
    "leaky": lambda z, b, r: snp.where(z > 0, z, 0.1 * z) + b,
    "residual": lambda z, b, r: r - z,
    "scaled by row": lambda z, b, r: z * r[:, :1],
    "truth values": lambda z, b, r: snp.logical_and(z > b, z < r),
    "twice": lambda z, b, r: z * z,
}


def arrays(m, k, n, dtype):
    rng = np.random.default_rng(m * n + k)
    shapes = {"x": (m, k), "w": (k, n), "b": (n,), "r": (m, n)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def inputs(values):
    return {name: sp.input(name, a.shape, a.dtype) for name, a in values.items()}


def kernels(program):
    return program.native.stages.merged.schedule.kernels


def epilogues(program):
    return [k.epilogue for k in kernels(program) if isinstance(k, DotKernel) and k.epilogue]


def agree(outputs, named, values, carry=None, threads=None):
    """Native and interpreted values agree; returns the native program."""
    native = Program(outputs, named, carry or {})
    reference = Program(outputs, named, carry or {}, backend="numpy")
    got = native.run(values, steps=2, threads=threads)
    expected = reference.run(values, steps=2)
    for found, wanted in ((got.collected, expected.collected), (got.values, expected.values)):
        for name, array in wanted.items():
            scale = np.abs(array).max(initial=1)  # sums cancel
            atol = scale * (1e-5 if values["x"].dtype == "float32" else 1e-13)
            np.testing.assert_allclose(found[name], array, rtol=0, atol=atol, err_msg=name)
    return native


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", AFTER)
def test_an_epilogue_computes_what_a_loop_would(name, shape, dtype):
    values = arrays(*shape, dtype)
    t = inputs(values)
    inner = AFTER[name](t["x"] @ t["w"], t["b"], t["r"])
    # The result is read by another product, so that it is no output that must have a buffer of its own.
    outputs = {"y": inner.astype(dtype) @ t["r"].T}
    program = agree(outputs, t, values)
    assert len(epilogues(program)) == 1
    assert not [k for k in kernels(program) if isinstance(k, LoopKernel)]


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_the_product_is_kept_if_it_is_needed(shape):
    values = arrays(*shape, "float64")
    t = inputs(values)
    z = t["x"] @ t["w"]
    hidden = snp.maximum(z + t["b"], 0)
    (gradient,) = backprop(snp.sum(snp.tanh(hidden @ t["r"].T) * 2.0), [t["w"]])
    program = agree({"z": z, "gradient": gradient, "total": snp.sum(snp.exp(z) * hidden)}, t, values)
    assert epilogues(program)


def test_dear_functions_and_sums_stay_loops():
    values = arrays(32, 16, 8, "float32")
    t = inputs(values)
    z = t["x"] @ t["w"]
    for inner in (snp.tanh(z), snp.sum(z, axis=1, keepdims=True) + t["b"], snp.exp(z + t["b"]) - t["b"]):
        assert not epilogues(agree({"y": inner @ t["r"].T}, t, values))


def test_what_is_not_ready_before_the_product_is_waited_for():
    values = arrays(8, 6, 8, "float64")
    t = inputs(values)
    z = t["x"] @ t["w"]
    late = snp.exp(z @ t["r"])  # needs z, and is needed beside it
    agree({"y": (z + late) @ t["r"].T}, t, values)


def test_a_carried_value_computed_from_a_product_is_right():
    values = arrays(9, 9, 9, "float64") | {"x": 0.1 * np.eye(9)}
    t = inputs(values)
    agree({"x": snp.maximum(t["x"] @ t["w"] + t["b"], 0) * 0.5}, t, values, carry={"x": "x"})


def test_threads_share_an_epilogue():
    values = arrays(200, 64, 48, "float32")
    t = inputs(values)
    outputs = {"y": snp.maximum(t["x"] @ t["w"] + t["b"], 0) @ t["r"].T}
    found = {
        agree(outputs, t, values).run(values, steps=1, threads=n).collected["y"].tobytes() for n in (1, 2, 3)
    }
    assert len(found) == 1


def test_the_explanation_names_what_a_product_ends_with():
    values = arrays(8, 6, 8, "float64")
    t = inputs(values)
    program = Program({"y": snp.maximum(t["x"] @ t["w"] + t["b"], 0) @ t["r"].T}, t)
    assert "product (8, 6) by (6, 8) in register tiles, then add" in program.explain()
