"""Nodes: what they remember of the user's code and arrays, and how they print."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import Evaluator, input, random_bits
from spusk.graph.leaves import _philox


def line_of(text: str) -> int:
    """The number of this file's only line that holds the text outside of a call of this function."""
    lines = inspect.getsource(sys.modules[__name__]).splitlines()
    (number,) = (i for i, line in enumerate(lines, 1) if text in line and "line_of" not in line)
    return number


def test_a_node_remembers_the_line_that_made_it() -> None:
    x = sp.input("x", (2,))
    y = snp.logsumexp(x)  # made here
    assert y.place.file == __file__
    assert y.place.line == line_of("made here")
    assert str(y.place) == f"test_tensor.py:{y.place.line}"


def test_an_error_names_the_innermost_line_of_the_user() -> None:
    def helper(a, b):
        return a @ b  # the culprit

    with pytest.raises(ShapeError) as caught:
        helper(sp.input("a", (2, 3)), sp.input("b", (4, 5)))
    assert f"(test_tensor.py:{line_of('the culprit')})" in str(caught.value)


def test_an_error_in_a_script_names_the_script(tmp_path) -> None:
    script = tmp_path / "net.py"
    script.write_text(
        textwrap.dedent("""
        import spusk.numpy as snp
        x = snp.ones((2, 3))
        y = snp.maximum(
            x + 1,
            snp.ones(4),
        )
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "spusk.errors.ShapeError: maximum got shapes (2, 3) and (4,), which do not broadcast (net.py:4)"
    )


def test_a_constant_does_not_see_later_changes_of_the_callers_array() -> None:
    a = np.array([1.0, 2.0])
    t, y = snp.asarray(a), sp.input("x", (2,), "float64") + a
    a[:] = 99
    np.testing.assert_array_equal(t.numpy(), [1, 2])
    np.testing.assert_array_equal(sp.evaluate([y], {y.inputs[0]: [0.0, 0.0]})[0], [1, 2])


def test_a_result_can_be_written_to_without_changing_the_constant() -> None:
    t = snp.asarray(np.array([1.0, 2.0]))
    for view in (t, t.reshape(2, 1), snp.broadcast_to(t, (3, 2)), t[::-1]):
        value = view.numpy()
        value[...] = 99
    np.testing.assert_array_equal(t.numpy(), [1, 2])


def test_building_computes_nothing() -> None:
    x = sp.input("x", (10**9,), "float64")
    assert (snp.exp(x) @ x).shape == ()
    assert snp.zeros((10**6, 10**6)).shape == (10**6, 10**6)


# --- evaluation ---------------------------------------------------------------------------------------


def test_values_may_be_given_for_any_node() -> None:
    x = sp.input("x", (), "float64")
    h = snp.exp(x)
    y = h * h
    assert y.numpy({h: 3.0}) == 9
    assert Evaluator([y, h], [h])(np.float64(2.0)) == [4, 2]


def test_a_missing_value_or_a_wrong_shape_is_refused_in_a_sentence() -> None:
    x, w = sp.input("x", (2,)), sp.input("w", (2,))
    with pytest.raises(
        InputError, match="the graph needs values for its inputs 'w', 'x', and was given none"
    ):
        (x * w).numpy()
    with pytest.raises(ShapeError, match=r"input 'x' was given shape \(3,\); it needs \(2,\)"):
        x.numpy({x: [1, 2, 3]})
    with pytest.raises(InputError, match="the graph takes 2 values and was given 1"):
        Evaluator([x * w], [x, w])(np.ones(2))


def test_evaluation_is_quiet_about_infinities_and_nan() -> None:
    x = np.array([0.0, -1.0, 1e308])
    with np.errstate(all="raise"):
        found = sp.evaluate([snp.log(x), snp.sqrt(x), snp.asarray(x) * 10, 1 / snp.asarray(x)])
    assert [np.isfinite(v).all() for v in found] == [False] * 4


def test_casting_nan_to_whole_numbers_is_quiet_as_well() -> None:
    assert snp.asarray(np.array([np.nan, 1.0])).astype("int64").numpy()[1] == 1


# --- printing -----------------------------------------------------------------------------------------


def test_a_graph_prints_as_a_readable_table() -> None:
    x, w, b = sp.input("x", (32, 64)), sp.input("w", (64, 10)), sp.input("b", (10,))
    h = snp.tanh(x @ w + b)
    loss = (h[:, ::2] ** 2).sum() / 32
    expected = """
        x  = input                                        float32 [32, 64]
        w  = input                                        float32 [64, 10]
        b  = input                                        float32 [10]
        %1 = dot(x, w)                                    float32 [32, 10]
        %2 = add(%1, b)                                   float32 [32, 10]
        %3 = tanh(%2)                                     float32 [32, 10]  <- result
        %4 = slice(%3, starts=0 0, stops=32 9, steps=1 2)   float32 [32, 5]
        %5 = mul(%4, %4)                                  float32 [32, 5]
        %6 = sum(%5, axes=0 1)                            float32 []
        %7 = div(%6, 32.0)                                float32 []        <- result
    """
    found = sp.graph_text([h, loss]).splitlines()
    assert [line.split() for line in found] == [
        line.split() for line in textwrap.dedent(expected).strip().splitlines()
    ]
    assert len({line.index("float32") for line in found}) == 1  # columns are aligned
    assert len({line.index("=") for line in found}) == 1


def test_inputs_of_one_name_constants_and_nothing_print_too() -> None:
    a, b = sp.input("x"), sp.input("x")
    lines = sp.graph_text(a * b + np.ones(3, "float32")).splitlines()
    assert [line.split()[0] for line in lines] == ["x", "x'2", "%1", "%2", "%3"]
    assert lines[3].split()[:3] == ["%2", "=", "constant"]
    assert sp.graph_text(snp.asarray(2.0)) == "%1 = constant(2.0)   float32 []  <- result"
    assert sp.graph_text([]) == ""
    assert repr(a * b) == "Tensor(mul, shape=(), dtype=float32)"
    assert "seen" in sp.graph_text(sp.input("seen") + 1)


# --- random bits --------------------------------------------------------------------------------------

# Random123 1.14.0, tests/kat_vectors, lines "philox4x32 10": counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, expected) -> None:
    counters = tuple(np.array([w], dtype=np.int64) for w in words(counter))
    keys = tuple(np.array(w, dtype=np.int64) for w in words(key))
    assert [int(w[0]) for w in _philox(np, counters, keys)] == words(expected)


def test_random_bits_start_with_the_published_block_of_zeros() -> None:
    zeros = snp.zeros(2, dtype="uint32")
    assert random_bits(zeros, zeros, (4,)).numpy().tolist() == words(KNOWN[0][2])


def test_random_bits_are_uniform_and_independent_of_the_shape() -> None:
    key, counter = np.array([1, 2], np.uint32), np.array([3, 4], np.uint32)
    bits = random_bits(snp.asarray(key), snp.asarray(counter), (100, 1000)).numpy()
    assert bits.dtype == np.uint32
    again = random_bits(snp.asarray(key), snp.asarray(counter), (77,)).numpy()
    np.testing.assert_array_equal(again, bits.ravel()[:77])
    assert abs(bits.mean() / 2**32 - 0.5) < 5 / np.sqrt(12 * bits.size)
    ones = np.unpackbits(bits.view(np.uint8)).mean()
    assert abs(ones - 0.5) < 5 * 0.5 / np.sqrt(32 * bits.size)
    other = random_bits(snp.asarray(key), snp.asarray(counter[::-1]), (100, 1000)).numpy()
    assert (other == bits).mean() < 1e-3


def test_random_bits_need_a_key_and_a_counter_of_two_words() -> None:
    good, bad = input("k", (2,), "uint32"), input("k", (3,), "uint32")
    with pytest.raises(ShapeError, match=r"random_bits needs a key of uint32 \[2\] and got uint32 \(3,\)"):
        random_bits(bad, good, (4,))
    with pytest.raises(
        (ShapeError, DTypeError), match=r"random_bits needs a counter of uint32 \[2\] and got int64"
    ):
        random_bits(good, input("c", (2,), "int64"), (4,))


@pytest.mark.parametrize("shape", [(-1,), (1.5,), (True,), True, None, "ab", 2.0, ("a",), (None,), [[2]]])
def test_an_input_of_a_senseless_shape_is_refused(shape) -> None:
    with pytest.raises(ShapeError) as caught:
        sp.input("x", shape)  # no shape
    assert str(caught.value) == (
        f"input 'x' got shape {shape!r}; a shape is whole numbers of 0 or more, such as (2, 3) "
        f"(test_tensor.py:{line_of('# no shape')})"
    )


def test_the_shape_of_an_input_may_be_given_as_in_numpy() -> None:
    assert sp.input("x", 3).shape == (3,)
    assert sp.input("x", np.int64(0)).shape == (0,)
    assert sp.input("x", [2, np.uint8(3)]).shape == (2, 3)
    assert sp.input("x", np.array([2, 3])).shape == (2, 3)


@pytest.mark.parametrize("label", [3, None, b"x"])
def test_the_name_of_an_input_is_a_text(label) -> None:
    with pytest.raises(InputError, match=r"^an input's name is .*; it must be a str \(test_tensor.py:\d+\)$"):
        sp.input(label)


def test_no_dtype_is_none() -> None:
    with pytest.raises(
        DTypeError, match=r"^dtype None is not supported; use one of bool, .*uint8 \(test_tensor"
    ):
        sp.input("x", (), None)
    with pytest.raises(DTypeError, match=r"^dtype None is not supported"):
        snp.astype(sp.input("x"), None)
