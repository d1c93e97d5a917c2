"""A session is a program's loop that goes on where it stopped."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.errors import InputError, ShapeError

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])


def walk(batch: int = 3, backend: str = "native", **more) -> Program:
    """A point that moves by the mean of some rows of `x`, scaled."""
    at, x = sp.input("at", (2,), "float64"), sp.input("x", (5, 2), "float64")
    rows, scale = sp.input("rows", (batch,), "int64"), sp.input("scale", (), "float64")
    moved = at + scale * snp.take(x, rows, axis=0).mean(axis=0)
    return Program(
        {"at": moved, "size": snp.sum(moved * moved), **more},
        {"at": at, "x": x, "rows": rows, "scale": scale},
        carry={"at": "at"},
        backend=backend,
    )


def first(rng) -> dict:
    return {"at": rng.normal(size=2), "x": rng.normal(size=(5, 2)), "scale": 0.5}


@BACKENDS
def test_stretches_come_to_what_one_run_comes_to(backend):
    rng = np.random.default_rng(0)
    program, values, rows = walk(backend=backend), first(rng), rng.integers(0, 5, (12, 3))
    whole = program.run(values, steps=12, each={"rows": rows})
    session = program.begin(values, each=["rows"])
    parts = [session.run(b - a, {"rows": rows[a:b]}) for a, b in ((0, 5), (5, 5), (5, 6), (6, 12))]
    assert [p.steps for p in parts] == [5, 0, 1, 6]
    assert session.values["at"].tobytes() == whole.values["at"].tobytes()
    joined = np.concatenate([p.collected["size"] for p in parts])
    assert joined.tobytes() == whole.collected["size"].tobytes()


@BACKENDS
def test_values_are_live_and_the_first_ones_stay_untouched(backend):
    values = {**first(np.random.default_rng(1)), "rows": np.array([0, 1, 1])}
    before = values["at"].copy()
    session = walk(backend=backend).begin(values)
    live = session.values["at"]
    session.run(2)
    assert live is session.values["at"]
    assert not np.array_equal(live, before)
    np.testing.assert_array_equal(values["at"], before)
    session.values["at"][...] = before  # what is written there is where the loop goes on
    session.run(2)
    again = walk(backend=backend).run(values, steps=2)
    assert session.values["at"].tobytes() == again.values["at"].tobytes()


@BACKENDS
def test_given_arrays_are_read_afresh(backend):
    values = {**first(np.random.default_rng(2)), "rows": np.array([0, 1, 1]), "scale": np.array(0.5)}
    session = walk(backend=backend).begin(values)
    values["scale"][...] = 0.0
    session.run(3)
    np.testing.assert_array_equal(session.values["at"], values["at"])


@BACKENDS
def test_two_programs_take_turns_on_the_same_values(backend):
    rng = np.random.default_rng(3)
    values = first(rng)
    rows, fewer = rng.integers(0, 5, (4, 3)), rng.integers(0, 5, (1, 2))
    long, short = walk(3, backend), walk(2, backend)
    one = long.begin(values, each=["rows"])
    other = short.begin(values, each=["rows"], beside=one)
    assert other.values["at"] is one.values["at"]
    one.run(4, {"rows": rows})
    other.run(1, {"rows": fewer})
    middle = long.run(values, steps=4, each={"rows": rows}).values
    expected = short.run({**values, "at": middle["at"]}, steps=1, each={"rows": fewer})
    assert one.values["at"].tobytes() == expected.values["at"].tobytes()


@BACKENDS
def test_a_session_can_take_over_what_it_does_not_share(backend):
    values = first(np.random.default_rng(4))
    one, other = (walk(3, backend).begin(values, each=["rows"]) for _ in range(2))
    one.run(1, {"rows": [[0, 1, 2]]})
    assert not np.array_equal(one.values["at"], other.values["at"])
    other.take(one)
    np.testing.assert_array_equal(one.values["at"], other.values["at"])
    assert one.values["at"] is not other.values["at"]


@BACKENDS
def test_programs_with_other_carried_inputs_share_nothing(backend):
    x, y = sp.input("x", (2,)), sp.input("y", (3,))
    one = Program({"x": x + 1}, {"x": x}, carry={"x": "x"}, backend=backend).begin({"x": [1, 2]})
    other = Program({"y": y + 1}, {"y": y}, carry={"y": "y"}, backend=backend)
    apart = other.begin({"y": [1, 2, 3]}, beside=one)
    apart.run(1)
    assert apart.values["y"].tolist() == [2, 3, 4]
    assert one.values["x"].tolist() == [1, 2]


@BACKENDS
def test_a_divergence_ends_a_stretch(backend):
    x = sp.input("x", (), "float32")
    program = Program({"x": x * 1e10, "loss": x * 1.0}, {"x": x}, carry={"x": "x"}, backend=backend)
    for watch in ("loss", "x"):
        session = program.begin({"x": 1.0}, watch=watch)
        assert session.run(2).status == "finished"
        done = session.run(50)
        assert (done.status, done.steps) == ("diverged", 3 if watch == "loss" else 2)
        assert len(done.collected["loss"]) == done.steps


@BACKENDS
def test_names_and_numbers_that_make_no_sense_are_told(backend):
    program, values = walk(backend=backend), first(np.random.default_rng(6))
    with pytest.raises(InputError, match="the program has no input 'rowz'; did you mean 'rows'"):
        program.begin(values, each=["rowz", "rows"])
    with pytest.raises(InputError, match="input 'at' is carried"):
        program.begin(values, each=["at", "rows"])
    with pytest.raises(InputError, match="watch names no output of the program: 'sise'; did you mean 'size'"):
        program.begin(values, each=["rows"], watch="sise")
    with pytest.raises(ShapeError, match=r"watch is 'at' of shape \(2,\); it must be a scalar"):
        program.begin(values, each=["rows"], watch="at")
    with pytest.raises(InputError, match="steps is -1; it must be a whole number, 0 or more"):
        program.begin(values, each=["rows"]).run(-1, {"rows": np.zeros((0, 3), int)})
    with pytest.raises(InputError, match=r"steps is 2.5; it must be a whole number, 0 or more"):
        program.begin(values, each=["rows"]).run(2.5, {"rows": np.zeros((3, 3), int)})
    with pytest.raises(InputError, match=r"input 'scale' was given 'large'; it needs numbers \(float64\)"):
        program.begin({**values, "scale": "large"}, each=["rows"])


@BACKENDS
def test_rows_that_do_not_fit_are_named(backend):
    session = walk(backend=backend).begin(first(np.random.default_rng(5)), each=["rows"])
    with pytest.raises(InputError, match="rows for its input 'rows'"):
        session.run(2)
    with pytest.raises(ShapeError, match=r"'rows' was given rows of shape \(1, 3\); it needs \(2, 3\)"):
        session.run(2, {"rows": [[0, 1, 2]]})
    with pytest.raises(ShapeError, match=r"'rows' was given rows of shape \(2, 4\); it needs \(2, 3\)"):
        session.run(2, {"rows": np.zeros((2, 4), int)})
    with pytest.raises(InputError, match="needs values for its inputs 'rows'"):
        walk(backend=backend).begin(first(np.random.default_rng(5)))
