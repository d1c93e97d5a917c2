"""What other libraries call our methods and their hyperparameters.

The names lie in `elsewhere.toml`, which `python -m tools.elsewhere` writes from the installed libraries.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

LIBRARIES = {
    "torch": "torch",
    "optax": "optax",
    "keras": "Keras",
    "timm": "timm",
    "pytorch_optimizer": "pytorch_optimizer",
    "jax": "JAX",
}
"""The libraries that methods are compared with, and what pages call them."""


@dataclass(frozen=True)
class Elsewhere:
    """A method in another library.

    Attributes:
        name: what one imports, perhaps with the arguments that choose the method.
        arguments: of our fields that it has too, the names there; `betas[0]` is the first of a pair.
            `1 − b1` tells that it has the complement of ours.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads(files("spusk.lab.methods").joinpath("elsewhere.toml").read_text(encoding="utf-8"))


def versions() -> dict[str, str]:
    """The versions of the libraries that the names were read from."""
    return dict(_content()["versions"])


def elsewhere(kind: str, name: str) -> dict[str, Elsewhere]:
    """The method in other libraries, by library, in the order of `LIBRARIES`.

    >>> elsewhere("optimizer", "adam")["optax"].arguments["beta1"]
    'b1'
    """
    found = _content().get(kind, {}).get(name, {})
    return {
        library: Elsewhere(found[library]["name"], found[library].get("arguments", {}))
        for library in LIBRARIES
        if library in found
    }
