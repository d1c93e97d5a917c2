"""What all tests share."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

# The compiler checks the result of each of its passes.
os.environ.setdefault("SPUSK_CHECK", "1")

# Compiled code is kept for the time of a test run only, unless the caller names a folder.
os.environ.setdefault("SPUSK_CACHE_DIR", tempfile.mkdtemp(prefix="spusk-tests-"))

# Tables of cases are shared between rooms: `from graph.cases import CASES`. Benchmarks are tested, too.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


import stand_in  # noqa: E402


@pytest.fixture
def peer() -> Callable[[str], ModuleType]:
    """Imports another library by name. A missing one skips the test; SPUSK_REQUIRE_PEERS=1: it fails."""

    def load(name: str) -> ModuleType:
        if name.partition(".")[0] == "timm":
            stand_in.torchvision()
        try:
            return importlib.import_module(name)
        except ImportError as error:
            if os.environ.get("SPUSK_REQUIRE_PEERS") == "1":
                pytest.fail(f"{name} is required by SPUSK_REQUIRE_PEERS=1 and cannot be imported: {error}")
            pytest.skip(f"{name} is not installed")

    return load
