"""What tests of Spusk's rules as torch optimizers share."""

from __future__ import annotations

from dataclasses import dataclass

from interop.problem import START, X, loss_of, why_closure

from spusk import optim
from spusk.optim import Hyper, Optimizer, State

BACKENDS = ["native", "torch"]


class Training:
    """A model whose weights are (out, in), as torch's layers have them, its loss, and an optimizer of ours."""

    def __init__(self, torch, adapter, rule, dtype="float64", start=START, **arguments):
        self.torch, self.rule = torch, rule
        kind = getattr(torch, dtype)
        self.parameters = {n: torch.nn.Parameter(torch.tensor(w.T).to(kind)) for n, w in start.items()}
        self.x = torch.tensor(X).to(kind)
        self.optimizer = adapter.Optimizer(rule, self.parameters.items(), **arguments)
        self.why_closure = why_closure(self.optimizer.rule)

    def loss(self):
        turned = {name: p.mT if p.ndim == 2 else p for name, p in self.parameters.items()}  # (in, out)
        return loss_of(self.torch, turned, self.x)

    def closure(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        if "second derivatives" not in self.why_closure:
            loss.backward()
        return loss

    def run(self, steps=10, closure=False):
        for _ in range(steps):
            if closure or self.why_closure:
                self.optimizer.step(self.closure)
            else:
                self.closure()
                self.optimizer.step()
        return self

    @property
    def bits(self):
        return [p.detach().clone() for p in self.parameters.values()]

    def weights(self):
        """The weights to use."""
        self.optimizer.eval()
        found = {name: p.detach().double().numpy().T.copy() for name, p in self.parameters.items()}
        self.optimizer.train()
        return found


def same_bits(a, b):
    return all((x == y).all() for x, y in zip(a, b, strict=True))


@dataclass(frozen=True)
class Sharp(Optimizer):
    """Sharpness-aware minimisation, in a few lines."""

    lr: Hyper = 0.05
    rho: Hyper = 0.05

    def gradients_all(self, objective, parameters, state, t):
        import spusk.numpy as snp

        first = objective.gradients(parameters)
        norm = snp.sqrt(sum(snp.sum(g * g) for g in first.values()))
        up = {n: w + self.rho * first[n] / norm for n, w in parameters.items()}
        return objective.gradients(up).replaced(objective.gradients(up))

    def update(self, w, g, s, t):
        return w - self.lr * g, s


@dataclass(frozen=True)
class Curved(optim.SecondOrder):
    lr: Hyper = 0.05

    def start(self, w):
        import spusk.numpy as snp

        return State(h=snp.zeros_like(w))

    def update_curved(self, w, g, h, s, t):
        import spusk.numpy as snp

        kept = 0.9 * s.h + 0.1 * h
        return w - self.lr * g / (snp.abs(kept) + 1), State(h=kept)
