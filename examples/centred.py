"""A wrapper: gradients of matrices are centred before any other rule sees them."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.optim import SGD, Optimizer, Wrapper


@dataclass(frozen=True)
class Centred(Wrapper):
    """Gradient centralisation: from each neuron's gradient, its mean over the inputs is taken away.

        g ← g − mean(g) over all axes but the last, for weights of two axes or more
        w ← inner(w, g)

    Source: Yong, Huang, Hua & Zhang, 2020, "Gradient centralization: A new optimization technique for deep
    neural networks", eq. 1.

    Args:
        inner: the optimizer that takes the step; default SGD().
    """

    inner: Optimizer = SGD()  # noqa: RUF009 (immutable)

    def gradients_all(self, objective, parameters, state, t):
        found = self.inner.gradients_all(objective, parameters, self.inner_state(state), t)
        return found.replaced({name: centred(g) for name, g in found.items()})


def centred(g):
    """A gradient without its mean over all axes but the last."""
    axes = tuple(range(g.ndim - 1))
    return g - g.mean(axes, keepdims=True) if axes else g
