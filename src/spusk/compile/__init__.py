"""Programs: graphs that run in a loop, as native code or interpreted."""

from spusk.compile.backend import Backend
from spusk.compile.jit import jit
from spusk.compile.program import Loop, Program

__all__ = ["Backend", "Loop", "Program", "jit"]
