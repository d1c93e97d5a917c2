"""What a training came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from spusk.train.model import Model

Status = Literal["finished", "stopped", "diverged", "interrupted"]


@dataclass(frozen=True)
class Run:
    """A training: the trained model, and how it went.

    Attributes:
        model: the network with its weights. After early stopping they are the best epoch's; after a
            divergence, those of the last epoch whose losses were finite.
        history: arrays with one entry an epoch: "epoch", "step" (steps done so far), "loss" and the metrics
            ("accuracy" or "r2") on the training part, "val_loss", "val_accuracy" … on the validation part.
            A regression's losses are those of the target as it was trained on, standardised or not.
            Losses are measured after the epoch on the whole part, without dropout. A training that diverges
            has a last entry of NaN. With `optim.Plateau`, "lr_scale" is what rates were multiplied by.
        batch_loss: the loss of every step's own batch, before that step's update, [steps].
        initial: the same measures as in `history`, before the first step.
        status: "finished"; "stopped" early; "diverged" when a loss was not finite; "interrupted" by Ctrl-C.
        steps: steps done.
        best_epoch: the epoch with the lowest validation loss (training loss if there is no validation
            part), from 1; 0 if no epoch was completed.
        seconds: wall time of the training.
    """

    model: Model
    history: Mapping[str, NDArray[Any]]
    batch_loss: NDArray[Any]
    initial: Mapping[str, float]
    status: Status
    steps: int
    best_epoch: int
    seconds: float

    @property
    def parameters(self) -> Mapping[str, NDArray[Any]]:
        """The weights by name."""
        return self.model.parameters

    def predict(self, x: Any) -> NDArray[Any]:
        """Predictions for raw inputs x [n, …]; see `Model.predict`."""
        return self.model.predict(x)

    def predict_proba(self, x: Any) -> NDArray[Any]:
        """Class probabilities for raw inputs x [n, …]; see `Model.predict_proba`."""
        return self.model.predict_proba(x)

    def predict_table(self, path: str | Path) -> NDArray[Any]:
        """Predictions for the rows of a table; see `Model.predict_table`."""
        return self.model.predict_table(path)

    def save(self, path: str | Path) -> Path:
        """Write the trained model to a safetensors file; read it again with `sp.load(path)`."""
        return self.model.save(path)

    def __repr__(self) -> str:
        last = {key: values[-1] for key, values in self.history.items() if len(values)} or self.initial
        shown = ", ".join(f"{key} {last[key]:.4g}" for key in last if key not in ("epoch", "step"))
        return f"Run({self.status} after epoch {len(self.history['epoch'])}, step {self.steps}: {shown})"
