"""An optimizer's update alone: a program of weights, gradient and state, without any network."""

from __future__ import annotations

import numpy as np

from benchmarks import backend
from benchmarks.problems import EVIDENCE_STEPS, LR, WATCHED, weights_and_gradient
from benchmarks.trial import Trial
from spusk import input as new_input
from spusk import optim
from spusk.compile import Program
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.state import flatten, unflatten


def update_program(rule: optim.Optimizer, n: int) -> tuple[Program, Program]:
    """The update of n float32 weights, and the program that makes its first state.

    Their inputs are `w`, `g` (only the first), `step`, `hyper/…` and the slots `state/…`.
    """
    w, g = (new_input(name, (n,), "float32") for name in "wg")
    t = new_input("step", (), "float64", weak=True)
    numbers = {name: new_input(name, (), "float64", weak=True) for name in hyperparameters(rule)}
    rule = at_step(with_hyperparameters(rule, numbers), t)
    fresh = rule.start_all({"w": w})
    first = flatten(fresh)
    slots = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}
    new_w, new_state = rule.update_all({"w": w}, {"w": g}, unflatten(fresh, slots), t)
    hyper = {f"hyper/{name}": number for name, number in numbers.items()}
    state = {f"state/{path}": slot for path, slot in slots.items()}
    after = {f"state/{path}": slot for path, slot in flatten(new_state).items()}
    update = Program(
        outputs={"w": new_w["w"], "step": t + 1, **after},
        inputs={"w": w, "g": g, "step": t, **hyper, **state},
        carry={name: name for name in ("w", "step", *state)},
        **backend.chosen(),
    )
    start = Program(
        outputs={f"state/{path}": slot for path, slot in first.items()},
        inputs={"w": w, "step": t, **hyper},
        **backend.chosen(),
    )
    return update, start


def bytes_moved(update: Program) -> int:
    """What a step must at least move: weights and state read and written, the gradient read."""
    size = {name: t.size * t.dtype.itemsize for name, t in update.inputs.items()}
    return sum(size.values()) + sum(size[target] for target in update.carry.values())


def updates(name: str, n: int, steps: int) -> Trial:
    """Steps of the rule as torch has it, from the same weights with the same gradient; a unit is a step."""
    rule = optim.get(name)
    rule = type(rule).like("torch", lr=LR)
    update, start = update_program(rule, n)
    w, g = weights_and_gradient(n)
    values = {"w": w, "g": g, "step": 1.0}
    values |= {f"hyper/{key}": number for key, number in hyperparameters(rule).items()}
    values |= start({key: values[key] for key in start.inputs})

    def evidence() -> dict[str, np.ndarray]:
        return {"w": np.array(update.run(values, steps=EVIDENCE_STEPS).values["w"][:WATCHED])}

    session = update.begin(values)  # weights and state stay where they are, as in torch's optimizers
    return Trial(lambda: session.run(steps), steps, evidence)
