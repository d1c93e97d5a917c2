"""An error names a line of the program that runs, though programs of one structure share what is compiled."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.errors import InputError


def line_of(words: str) -> int:
    lines = inspect.getsource(inspect.getmodule(line_of)).splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.endswith(f"# {words}"))


def inputs() -> dict[str, sp.Tensor]:
    return {"x": sp.input("x", (5,), "float64"), "i": sp.input("i", (2,), "int64")}


def first() -> Program:
    t = inputs()
    y = snp.take(2.0 * t["x"], t["i"], axis=0)  # in the first
    return Program({"y": y}, t)


def second() -> Program:
    t = inputs()
    doubled = 2.0 * t["x"]
    y = snp.take(doubled, t["i"], axis=0)  # in the second
    return Program({"y": y}, t)


def test_two_programs_of_one_structure_name_their_own_lines():
    programs = {"first": first(), "second": second()}
    values = {"x": np.zeros(5), "i": [1, 5]}
    assert programs["first"].native is programs["second"].native
    for name in ("first", "second", "first"):
        line = line_of(f"in the {name}")
        with pytest.raises(InputError, match=rf"axis of length 5 \(test_places.py:{line}\)"):
            programs[name](values)


def test_a_program_like_one_that_is_gone_names_its_own_line():
    first()({"x": np.zeros(5), "i": [1, 2]})
    with pytest.raises(InputError, match=rf"test_places.py:{line_of('in the second')}\)"):
        second()({"x": np.zeros(5), "i": [1, -6]})


def test_a_negative_power_names_its_own_line_too():
    x = sp.input("x", (3,), "int64")
    y = (2 * x) ** x  # one power
    z = (2 * x) ** x  # another power
    for power, words in ((y, "one power"), (z, "another power")):
        with pytest.raises(InputError, match=rf"use floats \(test_places.py:{line_of(words)}\)"):
            Program({"y": power}, {"x": x})({"x": [1, 2, -1]})
