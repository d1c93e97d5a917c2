"""Programs: graphs that run in a loop, as native code or interpreted."""

from spusk.compile.backend import Backend
from spusk.compile.jit import jit
from spusk.compile.program import Loop, Program
from spusk.compile.session import Session, Stretch

__all__ = ["Backend", "Loop", "Program", "Session", "Stretch", "jit"]
