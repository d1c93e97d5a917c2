"""The weights to use while a training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from spusk.compile import Program

ROOM = "parameters/"


class Weights:
    """What is measured, kept and returned of a training: its parameters, or what the rule makes of them.

    Args:
        program: from carried values and hyperparameters to the weights to use; None if these are the
            parameters themselves.
        fixed: the values of the program's inputs that are not carried.
        live: the carried values, by name; running the loop changes these arrays.

    Attributes:
        arrays: the weights to use by name, as `refresh` has last found them. The arrays stay the same
            objects.
    """

    def __init__(
        self, program: Program | None, fixed: Mapping[str, Any], live: Mapping[str, NDArray[Any]]
    ) -> None:
        self._program, self._fixed, self._live = program, fixed, live
        parameters = {name.removeprefix(ROOM): w for name, w in live.items() if name.startswith(ROOM)}
        self.arrays = parameters if program is None else {name: w.copy() for name, w in parameters.items()}
        self.refresh()

    def refresh(self) -> None:
        """Bring `arrays` up to what the loop has come to."""
        if self._program is None:
            return
        values = {**self._fixed, **self._live}
        found = self._program({name: values[name] for name in self._program.inputs})
        for name, array in self.arrays.items():
            array[...] = found[ROOM + name]

    def kept(self) -> dict[str, NDArray[Any]]:
        """A copy of the weights as they are now."""
        self.refresh()
        return {name: w.copy() for name, w in self.arrays.items()}
