"""What all tests share."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# A busy machine takes its time; how long a test may take is nothing that these tests claim.
settings.register_profile("spusk", deadline=None)
settings.load_profile("spusk")

# The compiler checks the result of each of its passes.
os.environ.setdefault("SPUSK_CHECK", "1")

# BLAS has one thread: the tests' matrices are small, and other workers have the other processors.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Compiled code is kept for the time of a test run only, unless the caller names a folder. A worker of
# pytest-xdist inherits the folder of the process that started it, which removes it, and has its own in there.
if "SPUSK_CACHE_DIR" not in os.environ:
    os.environ["SPUSK_CACHE_DIR"] = os.environ["SPUSK_TESTS_CACHE"] = tempfile.mkdtemp(prefix="spusk-tests-")
    atexit.register(shutil.rmtree, os.environ["SPUSK_TESTS_CACHE"], ignore_errors=True)
elif "PYTEST_XDIST_WORKER" in os.environ and "SPUSK_TESTS_CACHE" in os.environ:
    os.environ["SPUSK_CACHE_DIR"] = os.path.join(
        os.environ["SPUSK_TESTS_CACHE"], os.environ["PYTEST_XDIST_WORKER"]
    )

# Tables of cases are shared between rooms: `from graph.cases import CASES`. Benchmarks are tested, too.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


import stand_in  # noqa: E402


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """A worker for each processor, but none for some tests: they would be done before the workers are there."""
    folders = all(Path(name).is_dir() for name in config.args)
    narrow = config.option.keyword or getattr(config.option, "lf", False) or not folders
    return 0 if narrow else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test has the same name in every process, which is how pytest-xdist tells its workers what to run."""
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(
                f"{item.nodeid}: no address in a test's name; ids=optim.harness.named leaves it out"
            )


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
