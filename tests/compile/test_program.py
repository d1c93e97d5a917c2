"""A program is a graph in a loop."""

import numpy as np
import pytest

import spusk as sp
from spusk.compile import Program
from spusk.errors import DTypeError, InputError, ShapeError


def counter(**inputs):
    n = sp.input("n", (), "float64")
    return Program({"n": n + 1, "seen": n}, {"n": n, **inputs}, carry={"n": "n"})


def test_carried_outputs_become_the_next_steps_inputs():
    loop = counter().run({"n": 3.0}, steps=4)
    assert loop.values["n"] == 7
    assert loop.collected["seen"].tolist() == [3, 4, 5, 6]
    assert (loop.steps, loop.status) == (4, "finished")


def test_zero_steps_leave_everything_as_it_was():
    loop = counter().run({"n": 3.0}, steps=0)
    assert loop.values["n"] == 3
    assert loop.collected["seen"].shape == (0,)


def test_an_input_can_change_from_step_to_step():
    x, total = sp.input("x", (2,), "float64"), sp.input("total", (2,), "float64")
    program = Program({"total": total + x}, {"x": x, "total": total}, carry={"total": "total"})
    loop = program.run({"total": np.zeros(2)}, steps=3, each={"x": np.arange(6.0).reshape(3, 2)})
    assert loop.values["total"].tolist() == [0 + 2 + 4, 1 + 3 + 5]


def test_the_loop_ends_at_the_first_step_whose_watched_output_is_not_finite():
    x = sp.input("x", (), "float32")
    program = Program({"x": x * 1e10, "loss": x * 1.0}, {"x": x}, carry={"x": "x"})
    loop = program.run({"x": 1.0}, steps=50, watch="loss")
    assert loop.status == "diverged"
    assert loop.steps == 5
    assert np.isfinite(loop.collected["loss"][:-1]).all()
    assert np.isinf(loop.collected["loss"][-1])


def test_carry_must_keep_shape_and_dtype():
    x = sp.input("x", (2,), "float32")
    with pytest.raises(ShapeError, match=r"'x' starts with shape \(2,\) and becomes \(\)"):
        Program({"x": x.sum()}, {"x": x}, carry={"x": "x"})
    with pytest.raises(DTypeError, match="starts as float32 and becomes float64"):
        Program({"x": x.astype("float64")}, {"x": x}, carry={"x": "x"})
    with pytest.raises(InputError, match="names no output"):
        Program({"x": x}, {"x": x}, carry={"y": "x"})


def test_a_missing_value_is_named():
    with pytest.raises(InputError, match="'n'"):
        counter()({})
    y = sp.input("y")
    with pytest.raises(InputError, match="needs values for its inputs 'y'"):
        Program({"z": y * 2}, {})({})


def test_a_value_of_the_wrong_shape_is_named():
    with pytest.raises(ShapeError, match=r"input 'n' was given shape \(2,\); it needs \(\)"):
        counter()({"n": [1.0, 2.0]})
