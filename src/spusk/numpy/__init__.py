"""Functions on Tensors, named and behaving as in the Python array API standard.

Every function takes Tensors, NumPy arrays and Python numbers, and returns a Tensor. Arrays created
without a dtype are float32 (int64 for whole numbers). Beyond the standard there are `erf`, `logsumexp`,
`scatter_add` and `stop_gradient`. What depends on values for its shape (`nonzero`, boolean masks) is not
here, because a graph's shapes are known when it is built. The bitwise functions (`&`, `|`, `^`, `~`) take
truth values only, not whole numbers, and there are no shifts.

>>> import spusk.numpy as snp
>>> snp.exp(snp.asarray([0.0, 1.0])).numpy()
array([1.      , 2.718282], dtype=float32)
"""

from math import e, inf, nan, pi

import numpy as _np

from spusk.graph.ops import (
    abs,
    argmax,
    argmin,
    bitwise_and,
    bitwise_invert,
    bitwise_or,
    bitwise_xor,
    cos,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    ones_like,
    pow,
    remainder,
    reshape,
    scatter_add,
    sign,
    sin,
    sqrt,
    stack,
    std,
    stop_gradient,
    sum,
    take,
    tanh,
    var,
    where,
    zeros_like,
)
from spusk.graph.ops import add as add
from spusk.graph.ops import cast as astype
from spusk.graph.ops import concatenate as concat
from spusk.graph.ops import div as divide
from spusk.graph.ops import flip as flip
from spusk.graph.ops import mul as multiply
from spusk.graph.ops import neg as negative
from spusk.graph.ops import sub as subtract
from spusk.numpy._creation import (
    arange,
    asarray,
    eye,
    full,
    full_like,
    linspace,
    ones,
    tril,
    triu,
    zeros,
)
from spusk.numpy._elementwise import (
    ceil,
    clip,
    cosh,
    hypot,
    isfinite,
    isinf,
    isnan,
    log2,
    log10,
    logaddexp,
    positive,
    reciprocal,
    round,
    sinh,
    square,
    tan,
    trunc,
)
from spusk.numpy._linear import matrix_transpose, outer, tensordot, vecdot
from spusk.numpy._manipulation import (
    broadcast_arrays,
    broadcast_to,
    expand_dims,
    moveaxis,
    pad,
    permute_dims,
    repeat,
    roll,
    squeeze,
    take_along_axis,
    tile,
    unstack,
)
from spusk.numpy._reductions import all, any, count_nonzero, logsumexp

bool = _np.dtype("bool")
int8, int16, int32, int64 = (_np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (_np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float32, float64 = _np.dtype("float32"), _np.dtype("float64")
newaxis = None

__all__ = [  # noqa: RUF022 (in the order of the standard's chapters)
    "e", "inf", "nan", "newaxis", "pi",
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
    "arange", "asarray", "astype", "eye", "full", "full_like", "linspace", "ones", "ones_like", "tril",
    "triu", "zeros", "zeros_like",
    "abs", "add", "bitwise_and", "bitwise_invert", "bitwise_or", "bitwise_xor", "ceil", "clip", "cos", "cosh",
    "divide", "equal", "erf", "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot",
    "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp",
    "logical_and", "logical_not", "logical_or", "maximum", "minimum", "multiply", "negative", "not_equal",
    "positive", "pow", "reciprocal", "remainder", "round", "sign", "sin", "sinh", "sqrt", "square",
    "stop_gradient", "subtract", "tan", "tanh", "trunc",
    "matmul", "matrix_transpose", "outer", "tensordot", "vecdot",
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis", "pad", "permute_dims",
    "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
    "argmax", "argmin", "scatter_add", "take", "take_along_axis", "where",
    "all", "any", "count_nonzero", "logsumexp", "max", "mean", "min", "std", "sum", "var",
]  # fmt: skip
