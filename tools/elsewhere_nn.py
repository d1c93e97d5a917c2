"""What other libraries call our initialisers and losses: the same law, the same number.

Names alone mislead here: the normal laws that Keras and JAX name after He, Glorot and LeCun are truncated,
ours and torch's are not. So every name is given with the arguments that make it ours; tests draw from both
and compare.
"""

from __future__ import annotations


def _variance_scaling(library: str, scale: str, mode: str, distribution: str) -> str:
    """The family that Keras and JAX have, which spell the plain normal law differently."""
    plain = "untruncated_normal" if library == "keras" else "normal"
    name = {
        "keras": "keras.initializers.VarianceScaling",
        "jax": "jax.nn.initializers.variance_scaling",
    }[library]
    law = plain if distribution == "normal" else distribution
    return f"{name}(scale={scale}, mode='{mode}', distribution='{law}')"


def _both(scale: str, mode: str, distribution: str) -> dict[str, str]:
    return {library: _variance_scaling(library, scale, mode, distribution) for library in ("keras", "jax")}


INITIALISERS: dict[str, dict[str, str]] = {
    "zeros": {
        "torch": "torch.nn.init.zeros_",
        "keras": "keras.initializers.Zeros",
        "jax": "jax.nn.initializers.zeros",
    },
    "ones": {
        "torch": "torch.nn.init.ones_",
        "keras": "keras.initializers.Ones",
        "jax": "jax.nn.initializers.ones",
    },
    "constant": {
        "torch": "torch.nn.init.constant_",
        "keras": "keras.initializers.Constant",
        "jax": "jax.nn.initializers.constant",
    },
    "normal": {
        "torch": "torch.nn.init.normal_",
        "keras": "keras.initializers.RandomNormal",
        "jax": "jax.nn.initializers.normal",
    },
    "uniform": {
        "torch": "torch.nn.init.uniform_",
        "keras": "keras.initializers.RandomUniform",
        "jax": "jax.nn.initializers.uniform",
    },
    "truncatednormal": {
        "torch": "torch.nn.init.trunc_normal_",
        "keras": "keras.initializers.TruncatedNormal",
        "jax": "jax.nn.initializers.truncated_normal",
    },
    "orthogonal": {
        "torch": "torch.nn.init.orthogonal_",
        "keras": "keras.initializers.Orthogonal",
        "jax": "jax.nn.initializers.orthogonal",
    },
    "identity": {"torch": "torch.nn.init.eye_", "keras": "keras.initializers.Identity"},
    "lecununiform": {
        "torch": "torch.nn.init.kaiming_uniform_(nonlinearity='linear')",
        "keras": "keras.initializers.LecunUniform",
        "jax": "jax.nn.initializers.lecun_uniform",
    },
    "lecunnormal": {
        "torch": "torch.nn.init.kaiming_normal_(nonlinearity='linear')",
        **_both("1.0", "fan_in", "normal"),
    },
    "xavieruniform": {
        "torch": "torch.nn.init.xavier_uniform_",
        "keras": "keras.initializers.GlorotUniform",
        "jax": "jax.nn.initializers.glorot_uniform",
    },
    "xaviernormal": {"torch": "torch.nn.init.xavier_normal_", **_both("1.0", "fan_avg", "normal")},
    "henormal": {"torch": "torch.nn.init.kaiming_normal_", **_both("2.0", "fan_in", "normal")},
    "heuniform": {
        "torch": "torch.nn.init.kaiming_uniform_",
        "keras": "keras.initializers.HeUniform",
        "jax": "jax.nn.initializers.he_uniform",
    },
    "variancescaling": {
        "keras": "keras.initializers.VarianceScaling",
        "jax": "jax.nn.initializers.variance_scaling",
    },
    "torchdefault": {
        "torch": "torch.nn.init.kaiming_uniform_(a=5**0.5)",
        **_both("1/3", "fan_in", "uniform"),
    },
}

LOSSES: dict[str, dict[str, str]] = {
    "cross_entropy": {
        "torch": "torch.nn.functional.cross_entropy",
        "optax": "optax.losses.softmax_cross_entropy_with_integer_labels",
        "keras": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    },
    "binary_cross_entropy": {
        "torch": "torch.nn.functional.binary_cross_entropy_with_logits",
        "optax": "optax.losses.sigmoid_binary_cross_entropy",
        "keras": "keras.losses.BinaryCrossentropy(from_logits=True)",
    },
    "hinge": {"optax": "optax.losses.hinge_loss", "keras": "keras.losses.Hinge"},
    "mean_squared": {
        "torch": "torch.nn.functional.mse_loss",
        "optax": "optax.losses.squared_error",
        "keras": "keras.losses.MeanSquaredError",
    },
    "mean_absolute": {
        "torch": "torch.nn.functional.l1_loss",
        "keras": "keras.losses.MeanAbsoluteError",
    },
    "huber": {
        "torch": "torch.nn.functional.huber_loss",
        "optax": "optax.losses.huber_loss",
        "keras": "keras.losses.Huber",
    },
}

# What others call the arguments of these.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "value": ("val",),
    "std": ("stddev",),
    "low": ("a", "minval"),
    "high": ("b", "maxval", "scale"),
    "slope": ("a",),
    "gain": ("scale",),
}
