"""scikit-learn's MLPClassifier: one training, an epoch for each call of `partial_fit`."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.problems import Mlp
from benchmarks.trial import Trial


def training(problem: Mlp) -> Trial:
    """The batches come in the order of the rows that are passed, gathered beforehand; a unit is a step."""
    model = MLPClassifier(
        hidden_layer_sizes=problem.widths[1:-1],
        alpha=0.0,
        batch_size=problem.rows.shape[2],
        learning_rate_init=problem.lr,
        shuffle=False,
    )
    batch = problem.rows[0, 0]
    # Its weights exist after the first call; they are replaced below.
    model.partial_fit(problem.x[batch], problem.y[batch], classes=np.arange(problem.widths[-1]))

    def train() -> np.ndarray:
        model.coefs_ = [weight.copy() for weight, _ in problem.layers]
        model.intercepts_ = [bias.copy() for _, bias in problem.layers]
        del model._optimizer  # the next call makes a new one, for these weights
        for rows in problem.rows:
            chosen = rows.reshape(-1)
            model.partial_fit(problem.x[chosen], problem.y[chosen])
        return np.array(model.loss_curve_[-len(problem.rows) :])

    return Trial(train, problem.steps, lambda: {"losses of epochs": train()})
