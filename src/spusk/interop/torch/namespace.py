"""PyTorch's functions under the names of the array API standard, as far as primitives use them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spusk.interop.needs import library

torch: Any = library("torch", "torch", "spusk.interop.torch")

SAME = [
    "abs", "add", "argmax", "arange", "cos", "divide", "erf", "exp", "expm1", "flip", "floor",
    "floor_divide", "int64", "log", "log1p", "logical_and", "logical_not", "logical_or", "matmul",
    "maximum", "minimum", "multiply", "negative", "ones_like", "pow", "reshape", "sign", "sin", "sqrt",
    "stack", "subtract", "tanh", "uint32", "where", "zeros", "zeros_like",
]  # fmt: skip
"""What PyTorch calls as the standard does."""
DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)


class Namespace:
    """The array namespace of one device's tensors; see `spusk.graph.Evaluator`.

    Args:
        device: where new arrays are made.
    """

    def __init__(self, device: Any) -> None:
        self.device = device

    def __getattr__(self, name: str) -> Any:
        if name in SAME or name in DTYPES:
            return getattr(torch, name)
        raise AttributeError(f"the namespace of torch tensors has no {name!r}")

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(dtype=dtype or value.dtype)
        return torch.as_tensor(np.require(value, None, ["C", "W"]), dtype=dtype, device=self.device)

    def astype(self, x: Any, dtype: Any) -> Any:
        return x.to(dtype)

    def isdtype(self, dtype: Any, kind: str) -> bool:
        assert kind == "real floating"
        return dtype.is_floating_point

    def arange(self, n: int, dtype: Any = None) -> Any:
        return torch.arange(n, dtype=dtype, device=self.device)

    def zeros(self, shape: Any, dtype: Any = None) -> Any:
        return torch.zeros(shape, dtype=dtype, device=self.device)

    def equal(self, x: Any, y: Any) -> Any:
        return torch.eq(_signed(x), _signed(y))

    def not_equal(self, x: Any, y: Any) -> Any:
        return torch.ne(_signed(x), _signed(y))

    def less(self, x: Any, y: Any) -> Any:
        return torch.lt(_signed(x), _signed(y))

    def less_equal(self, x: Any, y: Any) -> Any:
        return torch.le(_signed(x), _signed(y))

    def broadcast_to(self, x: Any, shape: Any) -> Any:
        return x.expand(shape)

    def permute_dims(self, x: Any, axes: Any) -> Any:
        return x.permute(axes)

    def concat(self, xs: Any, axis: int) -> Any:
        return torch.cat(tuple(xs), dim=axis)

    def stack(self, xs: Any, axis: int) -> Any:
        return torch.stack(tuple(xs), dim=axis)

    def flip(self, x: Any, axis: Any) -> Any:
        return torch.flip(x, axis)

    def sum(self, x: Any, axis: Any) -> Any:
        axes = (axis,) if isinstance(axis, int) else axis
        return torch.sum(x, dim=axes) if axes else x

    def max(self, x: Any, axis: Any) -> Any:
        return torch.amax(x, dim=axis) if axis else x

    def argmax(self, x: Any, axis: int) -> Any:
        return torch.argmax(x, dim=axis)

    def take(self, x: Any, indices: Any, axis: int) -> Any:
        return torch.index_select(x, axis, indices)


def _signed(x: Any) -> Any:
    """Torch compares no unsigned numbers but bytes."""
    return x.to(torch.int64) if x.dtype in (torch.uint16, torch.uint32) else x
