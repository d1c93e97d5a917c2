"""A step in Spusk's own native code, in the memory of the tensors on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spusk.compile.lent import LentProgram
from spusk.compile.native import address
from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.step import Step

torch: Any = library("torch", "torch", "spusk.interop.torch")


class NativeStep:
    """A compiled step. All parameters are updated in one call.

    Args:
        step: what it computes.
    """

    def __init__(self, step: Step) -> None:
        scalars = {f"scalar {i}": t for i, t in enumerate(step.scalars)}
        inputs = {value.name: value.before for value in step.values}
        outputs = {f"new {value.name}": value.after for value in step.values if value.after is not None}
        carry = {name: name.removeprefix("new ") for name in outputs}
        self._program = LentProgram(outputs, inputs | scalars, carry)
        numbers = np.zeros(len(scalars))
        start = address(numbers)
        self._numbers: Any = numbers.data
        self._at = [start + 8 * i for i in range(len(scalars))]
        self._needs = [(getattr(torch, v.before.dtype.name), v.before.size) for v in step.values]
        self._names = [value.name for value in step.values]
        self._written = [value.after is not None for value in step.values]
        # What a step found as it needs it, the next one looks at less closely; but gradients are new ones.
        self._stays = [value.kind in ("weight", "slot", "point") for value in step.values]
        self._fit: list[tuple[Any, int]] = [(None, 0)] * len(step.values)

    def __call__(self, tensors: Sequence[Any], numbers: Sequence[float]) -> None:
        """Take the step, in place.

        Args:
            tensors: the step's values, in its order. Those of other dtypes or strides are copied in and out.
            numbers: the number of the step, and the hyperparameters.
        """
        for i, number in enumerate(numbers):
            self._numbers[i] = number
        addresses: list[int] = []
        copies: list[tuple[Any, Any, bool]] = []
        for i, tensor in enumerate(tensors):
            dtype, size = self._needs[i]
            if tensor is self._fit[i][0] and tensor.dtype is dtype and tensor.is_contiguous():
                place = tensor.data_ptr()
                if place == self._fit[i][1] and tensor.numel() == size:
                    addresses.append(place)
                    continue
            if tensor.numel() != size or not tensor.is_cpu:  # native code would reach beyond it
                found = f"has shape {tuple(tensor.shape)}" if tensor.is_cpu else f"is on {tensor.device}"
                needed = f"{size} elements" if tensor.is_cpu else "to be on the CPU, as the parameters are"
                raise InputError(f"{self._names[i].strip()} {found}; it needs {needed}")
            if tensor.dtype is not dtype or not tensor.is_contiguous() or tensor.is_neg():
                lasting = tensor.detach()  # what is written to it is no operation on the parameter
                tensor = lasting.to(dtype).resolve_neg().contiguous()
                copies.append((lasting, tensor, self._written[i]))
                self._fit[i] = None, 0
            elif self._stays[i]:
                self._fit[i] = tensor, tensor.data_ptr()
            addresses.append(tensor.data_ptr())
        self._program([*addresses, *self._at])
        for tensor, copy, is_written in copies:
            if is_written:
                tensor.copy_(copy)
