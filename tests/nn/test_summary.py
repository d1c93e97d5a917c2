"""The table that `print(net)` shows."""

import pytest

from spusk import nn
from spusk.errors import ShapeError

NESTED = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 32),
    nn.Residual(nn.Linear(32, 32), nn.ELU()),
    nn.Dropout(0.2),
    head=nn.Linear(32, 1000),
)


def test_a_nested_network_prints_as_a_table():
    assert (
        str(NESTED)
        == """\
name  layer             output     parameters
────  ────────────────  ─────────  ──────────
      input             (n, 64)
0     Flatten()         (n, 64)             0
1     Linear(64, 32)    (n, 32)         2,080
2     Residual          (n, 32)
2.0   Linear(32, 32)    (n, 32)         1,056
2.1   ELU(alpha=1.0)    (n, 32)             0
3     Dropout(p=0.2)    (n, 32)             0
head  Linear(32, 1000)  (n, 1000)      33,000
────  ────────────────  ─────────  ──────────
      total                            36,136"""
    )


def test_an_input_shape_may_be_given():
    table = NESTED.summary(input_shape=(8, 8))

    assert "input             (n, 8, 8)" in table
    assert "Flatten()         (n, 64)" in table


def test_a_shape_that_nothing_tells_is_a_question_mark():
    assert (
        str(nn.Sequential(nn.ReLU()))
        == """\
name  layer   output  parameters
────  ──────  ──────  ──────────
      input   ?
0     ReLU()  ?                0
────  ──────  ──────  ──────────
      total                    0"""
    )


def test_a_single_layer_is_its_own_only_row():
    assert (
        str(nn.Linear(2, 3))
        == """\
name  layer         output  parameters
────  ────────────  ──────  ──────────
      input         (n, 2)
      Linear(2, 3)  (n, 3)           9
────  ────────────  ──────  ──────────
      total                          9"""
    )


def test_widths_that_do_not_fit_print_as_far_as_they_go():
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(2, 1))

    assert "1     Linear(2, 1)  ?                3" in str(net)
    with pytest.raises(ShapeError, match=r"Linear\(2, 1\) \(layer 1\) got an input of shape \(n, 3\)"):
        net.summary((4,))


def test_a_function_that_wants_another_input_does_not_break_the_table():
    net = nn.Sequential(
        nn.Lambda(lambda x: x.reshape(-1, 28, 28, 1), "image"), nn.Flatten(), nn.Linear(784, 10)
    )

    assert "2     Linear(784, 10)  (n, 10)" in str(net)
    assert "0     Lambda(image)  ?" in str(
        nn.Sequential(nn.Lambda(lambda x: x.nonsense, "image"), nn.Linear(4, 1))
    )


def test_long_descriptions_are_cut():
    table = str(nn.Sequential(nn.Lambda(lambda x: x, "a" * 100)))

    assert "a…" in table
    assert max(map(len, table.splitlines())) < 90
