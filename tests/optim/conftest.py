"""The libraries that optimizers are compared with, computing in float64."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def torch(peer: Callable[[str], ModuleType]) -> Iterator[Any]:
    """Torch with float64 as its default, without which NAdam keeps its product of momenta in float32."""
    module: Any = peer("torch")
    before = module.get_default_dtype()
    module.set_default_dtype(module.float64)
    yield module
    module.set_default_dtype(before)


@pytest.fixture
def x64(peer: Callable[[str], ModuleType]) -> Iterator[Any]:
    """Jax in float64, which it allows only as a setting of the process."""
    jax: Any = peer("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def optax(x64: Any, peer: Callable[[str], ModuleType]) -> ModuleType:
    """Optax, on jax in float64."""
    return peer("optax")


@pytest.fixture
def keras(x64: Any, peer: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Keras on jax, in float64."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # what its import asks for, once in a process
    module: Any = peer("keras")
    assert module.backend.backend() == "jax"
    before = module.config.floatx()
    module.config.set_floatx("float64")
    yield module
    module.config.set_floatx(before)
