"""Optimizers in the user's own files."""

from __future__ import annotations

import pytest

import spusk as sp
from spusk import optim
from spusk.errors import InputError

RULE = """
from dataclasses import dataclass
from spusk.optim import Hyper, Optimizer
import spusk.numpy as snp
from neighbour import FACTOR

@dataclass(frozen=True)
class SignDescent(Optimizer):
    lr: Hyper = 0.1

    def update(self, w, g, s, t):
        return w - FACTOR * self.lr * snp.sign(g), s

made = SignDescent(lr=0.5)
number = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "neighbour.py").write_text("FACTOR = 1.0")
    path = tmp_path / "mine.py"
    path.write_text(RULE)
    return path


def test_a_class_in_a_file_is_an_optimizer(file):
    rule = optim.get(f"{file}:SignDescent")
    assert rule.label == "signdescent"
    assert sp.minimize(lambda x: x * x, 1.0, rule, steps=3).x == pytest.approx(0.7)
    assert type(optim.get(f"{file}:SignDescent")) is type(rule)


def test_an_optimizer_that_a_file_has_made_is_taken_as_it_is(file):
    assert optim.get(f"{file}:made").lr == 0.5


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SignDescend", "defines no 'SignDescend'; did you mean 'SignDescent'"),
        ("number", "number is a int, not a subclass of spusk.optim.Optimizer"),
    ],
)
def test_what_is_no_optimizer_is_told(file, name, sentence):
    with pytest.raises(InputError, match=sentence):
        optim.get(f"{file}:{name}")


def test_an_update_that_forgets_the_state_is_told(tmp_path):
    path = tmp_path / "short.py"
    path.write_text(RULE.replace("from neighbour import FACTOR", "FACTOR = 1").replace("snp.sign(g), s", "g"))
    with pytest.raises(InputError, match=r"SignDescent.update must return \(w, state\); it returns a Tensor"):
        sp.minimize(lambda x: x * x, 1.0, f"{path}:SignDescent", steps=3)


def test_a_missing_file_and_a_mistake_in_one_are_told_with_the_line(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.py: no such file"):
        optim.get(f"{tmp_path}/nowhere.py:Rule")
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = x / 0\n")
    with pytest.raises(InputError, match=r"broken\.py:2: ZeroDivisionError: division by zero"):
        optim.get(f"{path}:Rule")
