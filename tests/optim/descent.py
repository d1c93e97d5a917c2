"""Runs a rule on a function through the thousand events: gradients and curvature are the rule's to ask for."""

from __future__ import annotations

import numpy as np
from optim.events import GRADIENTS, LR_FACTORS, START

import spusk.numpy as snp
from spusk.graph import input as new_input
from spusk.optim.hyper import hyperparameters
from spusk.train import descent_step

N = len(START)


def value(w, push):
    """Convex, without bounds on its slope, and of curvature between 0.3 and 1.3; its Hessian is diagonal."""
    return (snp.sqrt(1 + w * w) + 0.15 * w * w + push * w).sum()


def slope(x, push):
    """Its derivative by one element, in plain Python."""
    return x / (1 + x * x) ** 0.5 + 0.3 * x + push


def curvature(x):
    """Its second derivative by one element."""
    return (1 + x * x) ** -1.5 + 0.3


def through_events(rule, lr=None, backend="numpy", start=START, gradients=GRADIENTS, f=value):
    """The points [steps + 1, …] of a rule on `f(w, push)`, whose pushes are the events' gradients."""
    push = new_input("push", start.shape, "float64")
    step = descent_step(
        lambda p, t: f(p["w"], push),
        {"w": start},
        rule,
        inputs={"push": push},
        outputs=lambda p: {"point": p["w"]},
        backend=backend,
    )
    each = {"push": gradients.reshape(-1, *start.shape)}
    if lr is not None:
        names = hyperparameters(rule)
        name = "lr" if "lr" in names else next(n for n in names if n.endswith(".lr"))
        each[f"hyper/{name}"] = lr * LR_FACTORS[: len(gradients)]
    loop = step.program.run(step.first_values({"w": start}, rule), steps=len(gradients), each=each)
    return np.concatenate([loop.collected["point"], loop.values["parameters/w"][None]])


def follow(step, lr, gradients=GRADIENTS):
    """All points of `step(w, pushes, lr, t)`, a plain function of lists."""
    w = START.tolist()
    points = [w]
    for i, pushes in enumerate(gradients.tolist()):
        w = step(w, pushes, lr * LR_FACTORS[i], i + 1)
        points.append(w)
    return np.array(points)
