"""What programs and sessions cannot use is told in one sentence, the same on both backends."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

import spusk as sp
import spusk.compile
import spusk.numpy as snp
from spusk.compile import Program, Session, Stretch
from spusk.errors import DTypeError, InputError, ShapeError

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])


def moving(backend: str, dtype: str = "int64") -> Program:
    """A point that moves by `by` in every step."""
    x, by = sp.input("x", (2,), "float32"), sp.input("by", (), dtype)
    moved = x + by.astype("float32")
    return Program({"x": moved, "size": snp.sum(moved)}, {"x": x, "by": by}, {"x": "x"}, backend)


def told(error: type[Exception], sentence: str):
    """That an error is raised whose whole message is this sentence."""
    return pytest.raises(error, match="^" + re.escape(sentence) + "$")


# --- values --------------------------------------------------------------------------------------------

INT8 = "it needs whole numbers from -128 to 127 (int8)"
UNFIT = [
    ("int64", 0.5, "0.5; it needs whole numbers (int64)"),
    ("int8", 300, f"300; {INT8}"),
    ("int8", 300.0, f"300.0; {INT8}"),
    ("int8", -129, f"-129; {INT8}"),
    ("int8", np.inf, "inf; it needs whole numbers (int8)"),
    ("uint8", -1, "-1; it needs whole numbers from 0 to 255 (uint8)"),
    ("int64", 2.0**63, f"{2.0**63}; it needs whole numbers from {-(2**63)} to {2**63 - 1} (int64)"),
    ("int64", 2**63, f"{2**63}; it needs whole numbers from {-(2**63)} to {2**63 - 1} (int64)"),
    ("int64", 2**80, f"{2**80}; it needs whole numbers from {-(2**63)} to {2**63 - 1} (int64)"),
    ("int64", True, "True; it needs whole numbers (int64)"),
    ("int64", "2", "'2'; it needs whole numbers (int64)"),
    ("int64", np.datetime64("2020"), "2020; it needs whole numbers (int64)"),
    ("float32", True, "True; it needs numbers (float32)"),
    ("float32", "2", "'2'; it needs numbers (float32)"),
    ("float32", 1 + 0j, "(1+0j); it needs numbers (float32)"),
    ("float32", None, "NoneType None; it needs numbers (float32)"),
    ("float32", np.array(1.0, object), "1.0; it needs numbers (float32)"),
    ("float32", 1e39, "1e+39; it needs numbers up to ±3.4e+38 (float32)"),
    ("bool", 2, "2; it needs truth values (bool)"),
]


@BACKENDS
@pytest.mark.parametrize(("dtype", "value", "found"), UNFIT)
def test_a_value_that_its_input_cannot_hold_is_refused(backend, dtype, value, found):
    program = moving(backend, dtype)
    with told(InputError, f"input 'by' was given {found}"):
        program({"x": [1, 2], "by": value})
    with pytest.raises(InputError, match=r"^input 'by' was given "):
        program.begin({"x": [1, 2]}, each=["by"]).run(1, {"by": np.array([value])})
    with pytest.raises(InputError, match=r"^input 'by' was given "):
        program.run({"x": [1, 2]}, steps=1, each={"by": [value]})


FIT = [
    ("int64", 1.0, 1),
    ("int8", np.float16(-128), -128),
    ("uint64", 2**63 + 1, 2**63 + 1),
    ("int64", np.array(3, ">i8"), 3),
    ("int16", np.array(3, ">f8"), 3),
    ("float32", 2**24 + 1, 2**24),
    ("float32", 2**80, 2.0**80),
    ("float32", np.float64(0.1), np.float32(0.1)),
    ("float32", np.array(0.5, ">f4"), 0.5),
    ("float32", np.inf, np.inf),
    ("bool", 1.0, True),
]


@BACKENDS
@pytest.mark.parametrize(("dtype", "value", "expected"), FIT)
def test_a_value_that_its_input_can_hold_is_converted(backend, dtype, value, expected):
    by, total = sp.input("by", (), dtype), sp.input("total", (), dtype)
    kept = snp.where(total == total, by, total)
    program = Program({"seen": kept}, {"by": by, "total": total}, backend=backend)
    assert program({"by": value, "total": 0})["seen"] == expected
    rows = value.reshape(1) if hasattr(value, "reshape") else [value]
    found = program.run({"total": 0}, steps=1, each={"by": rows})
    assert found.collected["seen"][0] == expected
    assert found.values["by"] == expected
    assert found.values["by"].dtype == dtype


@BACKENDS
def test_long_whole_numbers_in_lists_are_kept_to_the_last_digit(backend):
    n = sp.input("n", (2,), "uint64")
    program = Program({"n": n + np.uint64(0)}, {"n": n}, backend=backend)
    assert program({"n": [2**63 + 1, 1]})["n"].tolist() == [2**63 + 1, 1]


@BACKENDS
def test_ragged_values_and_rows_are_told(backend):
    program = moving(backend)
    with told(
        InputError, "input 'x' was given a ragged list [[1], [1, 2]]; it needs a rectangular array (float32)"
    ):
        program({"x": [[1], [1, 2]], "by": 1})
    with pytest.raises(InputError, match="input 'by' was given a ragged list"):
        program.begin({"x": [1, 2]}, each=["by"]).run(2, {"by": [[1], [1, 2]]})
    with told(ShapeError, "input 'by' was given rows of shape (); it needs (1,)"):
        program.begin({"x": [1, 2]}, each=["by"]).run(1, {"by": 3})


def test_inputs_and_constants_take_any_byte_order():
    big = np.array([1.0, 2.0], ">f4")
    assert snp.asarray(big).dtype == np.float32
    assert snp.asarray(big).numpy().tolist() == [1, 2]
    assert sp.input("x", (2,), big.dtype).dtype is np.dtype("float32")
    assert sp.input("x", (2,), "float32").dtype is np.dtype("float32")
    assert sp.grad(lambda x: snp.sum(x * x))(big).tolist() == [2, 4]
    assert sp.jit(lambda x: x + 1)(big).tolist() == [2, 3]
    assert sp.minimize(lambda x: snp.sum(x * x), big, steps=1).x.dtype == np.float32


# --- names ---------------------------------------------------------------------------------------------


@BACKENDS
def test_names_that_the_program_does_not_know_are_told(backend):
    program = moving(backend)
    sentence = "the program has no input 'bye'; did you mean 'by'?"
    for run in (program, program.begin, lambda values: program.run(values, steps=1)):
        with told(InputError, sentence):
            run({"x": [1, 2], "by": 1, "bye": 2})
    with told(InputError, sentence):
        program.run({"x": [1, 2]}, steps=1, each={"bye": [1]})
    session = program.begin({"x": [1, 2]}, each=["by"])
    with told(InputError, "no input 'bye' was announced to change from step to step; did you mean 'by'?"):
        session.run(1, {"by": [1], "bye": [2]})
    with pytest.raises(InputError, match="no input 'by' was announced"):
        program.begin({"x": [1, 2], "by": 1}).run(1, {"by": [1]})


@BACKENDS
def test_a_missing_input_is_named_with_what_it_is(backend):
    program = moving(backend)
    with told(
        InputError,
        "the program needs values for its inputs 'x' (float32 of shape (2,), the value before the first step), "
        "'by' (int64 of shape (), the same in every step)",
    ):
        program({})


@BACKENDS
def test_rows_are_asked_for_even_if_the_graph_does_not_read_them(backend):
    x, n = sp.input("x"), sp.input("n")
    program = Program({"x": x + 1}, {"x": x, "n": n}, {"x": "x"}, backend)
    with pytest.raises(InputError, match="needs rows for its input 'n'"):
        program.begin({"x": 1}, each=["n"]).run(1)


@BACKENDS
def test_arguments_of_another_kind_are_told(backend):
    program = moving(backend)
    with told(InputError, "values is a list; it must be a mapping from the inputs' names to arrays"):
        program([1, 2])
    with told(InputError, "each is 'by'; it must be a list of inputs' names, such as ['rows']"):
        program.begin({"x": [1, 2]}, each="by")
    with told(InputError, "each is a list; it must be a mapping from inputs' names to rows"):
        program.run({"x": [1, 2]}, steps=1, each=["by"])
    with told(InputError, "each is a list; it must be a mapping from inputs' names to rows"):
        program.begin({"x": [1, 2]}, each=["by"]).run(1, [1])
    with told(InputError, "beside is 3; it must be a session, as Program.begin gives it"):
        program.begin({"x": [1, 2], "by": 1}, beside=3)
    with told(InputError, "watch names no output of the program: 3; known are: size, x"):
        program.begin({"x": [1, 2], "by": 1}, watch=3)


# --- numbers -------------------------------------------------------------------------------------------


@BACKENDS
@pytest.mark.parametrize("threads", [0, -1, 1.5, 2.5, "2", True])
def test_threads_are_a_whole_number(backend, threads):
    program, values = moving(backend), {"x": [1, 2], "by": 1}
    sentence = f"threads is {threads!r}; it must be a whole number, 1 or more"
    with told(InputError, sentence):
        program.run(values, steps=1, threads=threads)
    with told(InputError, sentence):
        program.begin(values, threads=threads)


@BACKENDS
@pytest.mark.parametrize("steps", [-1, 1.5, "2", None, True])
def test_steps_are_a_whole_number(backend, steps):
    sentence = f"steps is {steps!r}; it must be a whole number, 0 or more"
    with told(InputError, sentence):
        moving(backend).run({"x": [1, 2], "by": 1}, steps=steps)
    with told(InputError, sentence):
        moving(backend).begin({"x": [1, 2], "by": 1}).run(steps)
    with told(InputError, sentence):
        sp.minimize(lambda x: x * x, 1.0, steps=steps, backend=backend)


@BACKENDS
@pytest.mark.parametrize("steps", [10**16, 10**30])
def test_more_steps_than_fit_into_memory_are_told(backend, steps):
    session = moving(backend).begin({"x": [1, 2], "by": 1})
    with told(
        InputError,
        f"steps is {steps}, and output 'size' holds float32 of shape () for each: "
        "that is more than fits into memory",
    ):
        session.run(steps)
    assert session.values["x"].tolist() == [1, 2]
    with pytest.raises(
        InputError, match=f"steps is {steps}, and the path holds .* more than fits into memory"
    ):
        sp.minimize(lambda x: x * x, 1.0, steps=steps, backend=backend)


# --- what only the values tell -------------------------------------------------------------------------


@BACKENDS
@pytest.mark.parametrize("index", [3, -4])
def test_an_index_outside_of_its_axis_is_told_alike(backend, index):
    i = sp.input("i", (2,), "int64")
    taken = Program({"y": snp.take(snp.asarray([1.0, 2.0, 3.0]), i)}, {"i": i}, backend=backend)
    with pytest.raises(
        InputError, match=r"^take got an index outside of an axis of length 3 \(test_bad_input.py:\d+\)$"
    ):
        taken({"i": [0, index]})
    added = Program({"y": snp.scatter_add(snp.zeros(3), i, snp.ones(2))}, {"i": i}, backend=backend)
    with pytest.raises(
        InputError,
        match=r"^scatter_add got an index outside of an axis of length 3 \(test_bad_input.py:\d+\)$",
    ):
        added({"i": [0, index]})


NEGATIVE = r"^pow got a negative exponent for whole numbers; use floats \(test_bad_input.py:\d+\)$"


@BACKENDS
def test_a_negative_power_of_a_whole_number_is_told_alike(backend):
    n = sp.input("n", (2,), "int64")
    with pytest.raises(InputError, match=NEGATIVE):
        Program({"y": snp.asarray([2, 3]) ** n}, {"n": n}, backend=backend)({"n": [1, -1]})
    with pytest.raises(InputError, match=NEGATIVE):  # known when the graph is compiled
        Program({"y": snp.asarray([2, 3]) ** -1 + n}, {"n": n}, backend=backend)({"n": [1, 1]})


def test_an_index_outside_of_its_axis_is_told_where_a_value_is_asked_for():
    with pytest.raises(InputError, match=r"take got an index outside .* \(test_bad_input.py:"):
        snp.take(snp.asarray([1.0]), snp.asarray([1])).numpy()


# --- programs ------------------------------------------------------------------------------------------

X, Y = sp.input("x", (2,)), sp.input("y", (2,))
SENSELESS = [
    (([X + 1], {"x": X}), "outputs is a list; it must be a mapping from names to Tensors, such as {'y': y}"),
    (({"a": X + 1}, [X]), "inputs is a list; it must be a mapping from names to Tensors, such as {'y': y}"),
    (({"a": 3.0}, {"x": X}), "output 'a' is a float; it must be a Tensor"),
    (({"a": 3.0}, {"x": X}, {"a": "x"}), "output 'a' is a float; it must be a Tensor"),
    (({"a": X}, {"x": np.ones(2)}), "input 'x' is a ndarray; it must be a Tensor"),
    (({1: X}, {"x": X}), "outputs holds the name 1; a name is a str"),
    (
        ({"a": X + 1}, {"x": X}, ["a"]),
        "carry is a list; it must be a mapping from outputs to inputs, such as {'new x': 'x'}",
    ),
    (
        ({"a": X + 1, "b": X}, {"x": X}, {"a": "x", "b": "x"}),
        "outputs 'a' and 'b' are both carried into input 'x'; an input takes one",
    ),
    (
        ({"new": X + 1}, {"x": X}, {"mew": "x"}),
        "carry 'mew' -> 'x' names no output of the program; did you mean 'new'?",
    ),
    (
        ({"a": X + 1}, {"x": X}, {"a": ["x"]}),
        "carry 'a' -> ['x'] names no input of the program; known are: x",
    ),
    (({"a": X + 1}, {}, {"a": "x"}), "carry 'a' -> 'x' names no input of the program; there are none"),
    (({"a": X + 1}, {"x": X, "z": X}), "inputs 'x' and 'z' are the same Tensor"),
]


@BACKENDS
@pytest.mark.parametrize(("parts", "sentence"), SENSELESS)
def test_a_program_that_makes_no_sense_is_refused(backend, parts, sentence):
    with told(InputError, sentence):
        Program(*parts, backend=backend)


# --- two sessions --------------------------------------------------------------------------------------


@BACKENDS
@pytest.mark.parametrize(("shape", "dtype"), [((3,), "float32"), ((2,), "float64")])
def test_sessions_share_only_values_of_one_shape_and_dtype(backend, shape, dtype):
    one = moving(backend).begin({"x": [1, 2], "by": 1})
    x = sp.input("x", shape, dtype)
    program = Program({"x": x * 2}, {"x": x}, {"x": "x"}, backend)
    other = program.begin({"x": np.ones(shape)}, beside=one)
    other.run(1)
    assert other.values["x"].tolist() == [2] * shape[0]
    assert other.values["x"].dtype == dtype
    assert one.values["x"].tolist() == [1, 2]
    error = ShapeError if shape != (2,) else DTypeError
    with pytest.raises(error, match="take got 'x' of "):
        other.take(one)
    assert other.values["x"].tolist() == [2] * shape[0]


@BACKENDS
def test_a_session_takes_over_only_what_the_other_one_has(backend):
    one = Program({"y": Y + 1}, {"y": Y}, {"y": "y"}, backend).begin({"y": [1, 2]})
    other = moving(backend).begin({"x": [1, 2], "by": 1})
    with told(InputError, "the other session carries no input 'x', which take needs; known are: y"):
        other.take(one)


# --- what help tells -----------------------------------------------------------------------------------


@BACKENDS
def test_help_of_a_session_lists_its_values(backend):
    session = moving(backend).begin({"x": [1, 2], "by": 1})
    assert isinstance(session, Session)
    assert isinstance(session.run(1), Stretch)
    assert "live" in inspect.getdoc(type(session).values)
    assert {"Session", "Stretch"} <= set(spusk.compile.__all__)


@BACKENDS
@pytest.mark.parametrize("other", [3, None, {"x": 1}])
def test_take_needs_a_session(backend, other):
    session = moving(backend).begin({"x": [1, 2], "by": 1})
    with told(InputError, f"take got {other!r}; it needs a session, as Program.begin gives it"):
        session.take(other)


@BACKENDS
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_session_is_not_copied(backend, duplicate):
    session = moving(backend).begin({"x": [1, 2], "by": 1})
    sentence = (
        "a session can be neither copied nor pickled; pickle its program and session.values, "
        "and begin another session with them"
    )
    with told(InputError, sentence):
        duplicate(session)
