"""Losses of classifiers: cross-entropy, binary cross-entropy, hinge."""

from __future__ import annotations

import math
from numbers import Real

from spusk.errors import InputError, ShapeError
from spusk.graph import Tensor, as_tensor, ops
from spusk.graph.dtypes import is_float
from spusk.graph.leaves import number
from spusk.graph.tensor import Operand, users_place
from spusk.nn.activations import log_softmax, relu, softplus
from spusk.nn.activations.normalised import shifted
from spusk.nn.losses.targets import names_classes, one_hot, pair, require_between


def cross_entropy(logits: Operand, labels: Operand, *, label_smoothing: float = 0.0) -> Tensor:
    """Softmax cross-entropy: the mean negative log-probability of the right class.

        L = −(1/n) Σᵢ Σ_c t_ic · log softmax(z_i)_c
        t_ic = (1 − ε)·[c = y_i] + ε/C

    Source: Bridle, 1990, "Training stochastic model recognition algorithms as networks can lead to maximum
    mutual information estimation of parameters". Label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens,
    Wojna, 2015, "Rethinking the inception architecture for computer vision", §7.

    Args:
        logits: scores z [n, C] before any softmax, or with more leading axes (…, C); C is 2 or more.
        labels: class numbers y [n] (or [n, 1]) of an integer dtype, 0 … C − 1, or probabilities t [n, C].
        label_smoothing: ε in [0, 1], the share of probability that is spread over all classes; default 0.

    Returns:
        The mean over the examples, a scalar of the logits' dtype.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if class numbers are not integers.
        InputError: if ε is not in [0, 1], or a label given as a constant is not a class.

    >>> float(cross_entropy([[0.0, 0.0]], [1]))
    0.6931471824645996
    >>> float(cross_entropy([[1e4, -1e4], [-1e4, 1e4]], [0, 0]))
    10000.0
    """
    if not isinstance(label_smoothing, Real) or not 0 <= label_smoothing <= 1:
        raise InputError(f"label_smoothing is {label_smoothing!r}; it must be a number from 0 to 1")
    z, t = ops.floating(logits), as_tensor(labels)
    rows = z.size // z.shape[-1] if z.ndim and z.shape[-1] else 0
    if names_classes(z, t) and (t.shape != z.shape or not is_float(t.dtype)):
        right = one_hot("cross_entropy", z, t)
        if label_smoothing == 0:
            z = shifted(z, -1)
            partition = ops.sum(ops.log(ops.sum(ops.exp(z), -1)))
            return (partition - ops.sum(ops.where(right, z, 0))) / rows
        rest = label_smoothing / z.shape[-1]
        t = ops.where(right, number(1 - label_smoothing + rest, z.dtype), rest)
    elif t.shape == z.shape and z.ndim and z.shape[-1] > 1:
        t = ops.cast(t, z.dtype)
        if label_smoothing:
            t = (1 - label_smoothing) * t + label_smoothing / z.shape[-1]
    else:
        raise ShapeError(
            f"cross_entropy got logits of shape {z.shape} and labels of shape {t.shape}; it needs logits "
            f"(…, C) with C ≥ 2, and class numbers (…) or probabilities (…, C) ({users_place()})"
        )
    return -ops.sum(t * log_softmax(z)) / rows


def binary_cross_entropy(logits: Operand, targets: Operand) -> Tensor:
    """Cross-entropy of two classes from one score: the logit of the probability of class 1.

        L = (1/n) Σᵢ log(1 + e^zᵢ) − tᵢ·zᵢ
          = −(1/n) Σᵢ tᵢ·log σ(zᵢ) + (1 − tᵢ)·log(1 − σ(zᵢ))

    Source: Cox, 1958, "The regression analysis of binary sequences".

    Args:
        logits: scores z before any sigmoid, of any shape, e.g. [n] or [n, 1].
        targets: t, truth values, 0 and 1, or probabilities; of the logits' shape, up to a last axis of 1.

    Returns:
        The mean over all elements, a scalar of the logits' dtype.

    Raises:
        ShapeError: if the shapes do not fit.
        InputError: if a target given as a constant is not from 0 to 1.

    >>> float(binary_cross_entropy([[0.0], [1e4]], [0, 1]))
    0.3465735912322998
    """
    z, t = pair("binary_cross_entropy", logits, targets)
    require_between("binary_cross_entropy", "target", t, 0, 1)
    return ops.mean(softplus(z) - ops.cast(t, z.dtype) * z)


def hinge(scores: Operand, labels: Operand) -> Tensor:
    """Hinge loss: how far the right class fails to lead by a margin of 1.

        two classes:  L = (1/n) Σᵢ max(0, 1 − tᵢ·sᵢ),   tᵢ = ±1
        C classes:    L = (1/n) Σᵢ max_c (s_ic + [c ≠ yᵢ]) − s_iyᵢ

    Source: Cortes, Vapnik, 1995, "Support-vector networks". C classes: Crammer, Singer, 2001, "On the
    algorithmic implementation of multiclass kernel-based vector machines".

    Args:
        scores: [n] or [n, 1] for two classes, or [n, C]; more leading axes are allowed.
        labels: class numbers [n] of an integer or bool dtype; beside one score an example, 0 (or −1) stands
            for −1 and 1 for +1. Or targets ±1 of a floating dtype and of the scores' shape.

    Returns:
        The mean over the examples, a scalar of the scores' dtype.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if class numbers beside [n, C] scores are not integers.
        InputError: if a label given as a constant is not a class.

    >>> float(hinge([0.5, -3.0], [1, 0]))
    0.25
    >>> float(hinge([[2.0, 0.5, 1.5]], [0]))
    0.5
    """
    s, t = ops.floating(scores), as_tensor(labels)
    if names_classes(s, t) and s.shape[-1] > 1 and t.shape != s.shape:
        right = one_hot("hinge", s, t)
        best = ops.max(ops.where(right, s, s + 1), -1)
        return (ops.sum(best) - ops.sum(ops.where(right, s, 0))) / math.prod(s.shape[:-1])
    s, t = pair("hinge", s, t)
    if is_float(t.dtype):
        require_between("hinge", "target", t, -1, 1)
        return ops.mean(relu(1 - ops.cast(t, s.dtype) * s))
    require_between("hinge", "label", t, -1, 1)
    return ops.mean(relu(1 + s * ops.where(t > 0, number(-1.0, s.dtype), 1)))
