"""The examples of docs/interop.md."""

import doctest
from pathlib import Path

import pytest

pytestmark = pytest.mark.peers

DOCUMENT = Path(__file__).parents[2] / "docs" / "interop.md"


def test_the_examples_of_the_document_run(peer):
    for name in ("torch", "jax", "optax"):
        peer(name)
    failed, attempted = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert attempted > 20
    assert failed == 0
