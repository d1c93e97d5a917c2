"""Torch, the adapter, and trainings with it."""

from __future__ import annotations

import pytest
from interop.training import Training


@pytest.fixture
def torch(peer):
    return peer("torch")


@pytest.fixture
def adapter(torch):
    import spusk.interop.torch

    return spusk.interop.torch


@pytest.fixture
def training(torch, adapter):
    return lambda rule, **arguments: Training(torch, adapter, rule, **arguments)
