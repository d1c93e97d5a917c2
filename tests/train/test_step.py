"""The training step: rules with mistakes are told where they go wrong."""

from dataclasses import dataclass

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk import optim
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import topological
from spusk.graph.leaves import Input
from spusk.optim import Hyper, Optimizer, State
from spusk.train import descent_step


def step_of(rule):
    return descent_step(lambda p, t: (p["w"] ** 2).sum(), {"w": np.ones(3, np.float32)}, rule)


def test_hyperparameters_are_inputs_of_the_graph_not_constants():
    step = step_of(optim.Adam(lr=0.125))
    assert {"hyper/lr", "hyper/beta1", "hyper/beta2", "hyper/eps", "step"} <= set(step.program.inputs)
    nodes = topological(step.program.outputs.values())
    constants = [t.primitive.value for t in nodes if t.primitive.name == "constant"]
    assert not any(np.any(c == 0.125) for c in constants)
    assert {t.primitive.label for t in nodes if isinstance(t.primitive, Input)} >= {"hyper lr", "step", "w"}


def test_one_graph_serves_every_learning_rate():
    step = step_of(optim.SGD(lr=0.1))
    for lr in (0.1, 0.25):
        values = step.first_values({"w": np.ones(3, np.float32)}, optim.SGD(lr=lr))
        after = step.program(values)["parameters/w"]
        np.testing.assert_allclose(after, 1 - 2 * lr, rtol=1e-6)


def test_parameters_state_and_step_number_are_carried_by_name():
    program = step_of(optim.Momentum()).program
    assert set(program.carry) == {"parameters/w", "state/w/v", "step"}


@dataclass(frozen=True)
class Broken(Optimizer):
    lr: Hyper = 0.1
    how: str = ""

    def start(self, w):
        if self.how == "no state":
            return None
        return State(v=1.0 if self.how == "no Tensor" else snp.zeros_like(w))

    def point(self, w, s):
        if self.how == "no point":
            return None
        return w.sum() if self.how == "small point" else w

    def update(self, w, g, s, t):
        if self.how == "shape":
            return w - g.sum() * snp.ones((2, 3)), s
        if self.how == "dtype":
            return w - self.lr * g, State(v=s.v.astype("float64"))
        if self.how == "missing":
            return w - self.lr * g, State()
        if self.how == "surplus":
            return w - self.lr * g, State(v=s.v, m=s.v)
        if self.how == "number":
            return 1.0, s
        return w - self.lr * s.velocity, s


@pytest.mark.parametrize(
    ("how", "error", "sentence"),
    [
        (
            "shape",
            ShapeError,
            r"changes parameter 'w' from shape \(3,\) to .* \(test_step\.py:\d+\)|do not broadcast",
        ),
        ("dtype", DTypeError, r"changes state slot 'w/v' from float32 to float64 \(test_step\.py:\d+\)"),
        ("missing", InputError, "returns no state slot 'w/v', which start made"),
        ("surplus", InputError, "returns a state slot 'w/m', which start did not make"),
        ("number", InputError, "returns float for parameter 'w', not a Tensor"),
        (
            "no state",
            InputError,
            r"Broken.start returns NoneType for 'w'; it must return a State of Tensors, such as State\(m=",
        ),
        ("no Tensor", InputError, "Broken.start returns float for 'w/v'; it must return a State of Tensors"),
        ("no point", InputError, "Broken.point returns NoneType for parameter 'w', not a Tensor"),
        ("small point", ShapeError, r"Broken.point changes parameter 'w' from shape \(3,\) to \(\)"),
        (
            "name",
            InputError,
            r"Broken.update: the state has no slot 'velocity'; its slots are: v \(test_step\.py:\d+\)",
        ),
    ],
)
def test_a_rule_with_a_mistake_is_told_what_is_wrong(how, error, sentence):
    with pytest.raises(error, match=sentence):
        step_of(Broken(how=how))


def test_a_rule_in_five_lines_works_everywhere():
    @dataclass(frozen=True)
    class SignDescent(Optimizer):
        lr: Hyper = 0.1

        def update(self, w, g, s, t):
            return w - self.lr * snp.sign(g), s

    r = sp.minimize(lambda x: ((x - 1) ** 2).sum(), [0.0, 3.0], SignDescent(lr=0.5), steps=2)
    assert r.x.tolist() == [1.0, 2.0]
