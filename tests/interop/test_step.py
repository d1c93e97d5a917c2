"""The parts that need no other library: updates as graphs, and steps on lent memory."""

import doctest
import importlib
import inspect

import numpy as np
import pytest

import spusk as sp
from spusk import optim
from spusk.compile.lent import LentProgram
from spusk.errors import InputError
from spusk.interop.step import step_of
from spusk.interop.update import update_of


@pytest.mark.parametrize("module", ["needs", "rate", "split", "step", "update", "questions"])
def test_the_examples_in_the_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(f"spusk.interop.{module}")).failed == 0


def test_lent_memory_is_changed_in_place_even_when_values_change_places():
    x, y, g = (sp.input(name, (1000,), "float32") for name in "xyg")
    swap = LentProgram(
        {"a": y + g, "b": x - g, "sum": (x * y).sum()}, {"x": x, "y": y, "g": g}, {"a": "x", "b": "y"}
    )
    rng = np.random.default_rng(0)
    a, b, c = (rng.random(1000, "float32") for _ in range(3))
    total = np.zeros((), "float32")
    new_x, new_y, expected = b + c, a - c, (a.astype("float64") * b).sum()
    swap([array.ctypes.data for array in (a, b, c, total)])
    np.testing.assert_array_equal(a, new_x)
    np.testing.assert_array_equal(b, new_y)
    assert total == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_a_step_on_lent_memory_with_the_same_bits(threads):
    w, g = (sp.input(name, (100_000,), "float64") for name in "wg")
    program = LentProgram({"w": w - 0.1 * sp.numpy.sqrt(g)}, {"w": w, "g": g}, {"w": "w"})
    values, gradient = np.linspace(0, 1, 100_000), np.linspace(1, 2, 100_000)
    expected = values - 0.1 * np.sqrt(gradient)
    program([values.ctypes.data, gradient.ctypes.data], threads=threads)
    np.testing.assert_array_equal(values, expected)


def test_what_a_step_on_lent_memory_finds_fault_with_is_told_with_the_line_of_its_own_program():
    table, row = sp.input("table", (4, 2), "float32"), sp.input("row", (1,), "int64")
    here = inspect.currentframe().f_lineno  # two programs of one structure share their code, not their lines
    first = sp.numpy.take(table, row, axis=0)
    second = sp.numpy.take(table, row, axis=0)
    values, index, out = np.zeros((4, 2), "float32"), np.array([7]), np.zeros((1, 2), "float32")
    for line, taken in ((here + 1, first), (here + 2, second)):
        program = LentProgram({"taken": taken}, {"table": table, "row": row}, {})
        with pytest.raises(InputError, match=rf"^take .*\(test_step\.py:{line}\)$"):
            program([array.ctypes.data for array in (values, index, out)])


def test_a_step_on_lent_memory_refuses_no_threads():
    x = sp.input("x", (3,), "float64")
    values = np.ones(3)
    with pytest.raises(InputError, match=r"^threads is 0; it must be a whole number, 1 or more$"):
        LentProgram({"x": x / 2}, {"x": x}, {"x": "x"})([values.ctypes.data], threads=0)
    np.testing.assert_array_equal(values, 1)


def test_a_step_takes_only_what_the_active_parameters_need():
    shapes = dict.fromkeys(("a", "b"), ((3,), "float32"))
    update = update_of(optim.Nesterov(), shapes)
    assert [value.name for value in step_of(update, ["b"]).values] == [
        "weight 0 b",
        "point 0 b",
        "slot 1 b",
        "gradient 0 b",
    ]


def test_parameters_named_as_slots_keep_their_own_state():
    shapes = dict.fromkeys(("m", "inner", "slow"), ((), "float64"))
    update = update_of(optim.Lookahead(optim.Adam()), shapes)
    assert sorted({(slot.owner, slot.key) for slot in update.slots}) == sorted(
        (name, key) for name in shapes for key in ("inner/m", "inner/v", "slow")
    )


def test_parts_of_the_parameters_at_one_point_ask_one_question():
    shapes = dict.fromkeys(("a.weight", "a.bias"), ((2,), "float64"))
    rule = optim.Partition({"*bias": optim.SGD(), "*": optim.Nesterov()})
    update = update_of(rule, shapes)
    assert [question.kind for question in update.questions] == ["gradient"]
    assert update.needs_closure == ""


def test_a_masked_rule_asks_for_the_whole_gradient():
    update = update_of(
        optim.Mask(optim.Adam(), only="*bias"), {"a.weight": ((2,), "float64"), "bias": ((), "float64")}
    )
    assert [question.kind for question in update.questions] == ["gradient"]
    assert not update.asks_elsewhere
