"""Programs: graphs with named inputs and outputs that feed back into themselves, step after step."""

from spusk.compile.program import Loop, Program

__all__ = ["Loop", "Program"]
