"""Spusk: train neural networks, and find out how to train them."""

from spusk._version import __version__

__all__ = ["__version__"]
