"""One step of native code on memory that is the caller's: nothing is copied in, and nothing out.

Other libraries keep parameters, gradients and state in arrays of their own. This runs a program right there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from spusk.checks import checked_whole
from spusk.compile.blas import one_blas_thread
from spusk.compile.lower.module import ARENA, BARRIER, STATE, STATUS, STEPS
from spusk.compile.native import address, alone, native_program, room
from spusk.compile.native_session import MEETING_WORDS
from spusk.compile.team import together
from spusk.graph import Tensor


class LentProgram:
    """A program whose inputs, outputs and carried values lie wherever the caller says.

    Args:
        outputs: what is computed, by name.
        inputs: the graph's inputs, by name.
        carry: for each output that is written over an input, that input's name.

    Attributes:
        names: the arrays that a call needs the addresses of, in this order: the inputs, then the outputs that
            are not carried.

    >>> import numpy as np
    >>> import spusk as sp
    >>> x = sp.input("x", (3,), "float64")
    >>> halve = LentProgram({"x": x / 2}, {"x": x}, {"x": "x"})
    >>> values = np.array([2.0, 4.0, 8.0])
    >>> halve([values.ctypes.data])
    >>> values
    array([1., 2., 4.])
    """

    def __init__(
        self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], carry: Mapping[str, str]
    ) -> None:
        self._program, self._places = program, _ = native_program(outputs, inputs, carry, lent=True)
        self.names = (*inputs, *(name for name in outputs if name not in carry))
        self._block = alone(program.block)
        self._address = address(self._block)
        self._nothing = room(1)
        self._meeting = np.zeros(MEETING_WORDS, np.int64)
        self._block[STATE] = address(self._nothing)
        self._block[BARRIER] = address(self._meeting)
        at = {o.array.name: o.word for o in program.outside if o.kind != "constant"}
        self._words = [at[name] for name in self.names]
        self._memory: Any = self._block.data  # whose single words are written sooner than an array's

    def __call__(self, addresses: Sequence[int], threads: int | None = None) -> None:
        """Run one step.

        Args:
            addresses: where each of `names` lies: in C order, of its input's or output's dtype, and none
                overlapping another. Nothing checks it.
            threads: how many share the work; default: all processors if the step is large enough to gain.
                The bits are the same for any number.

        Raises:
            InputError: if the graph finds fault with a value, or `threads` is no whole number above 0.
        """
        if threads is not None:
            checked_whole("threads", threads, 1)
        program, block, memory = self._program, self._block, self._memory
        for word, place in zip(self._words, addresses, strict=True):
            memory[word] = place
        memory[STEPS], memory[STATUS] = 1, 0
        arena = program.arena()
        memory[ARENA] = arena[1]
        blocks = program.team(block, threads, program.saved)
        if len(blocks) == 1 and not program.uses_blas:
            program.run(self._address)
        else:
            with one_blas_thread() if program.uses_blas else nullcontext():
                others = [address(own) for own in blocks[1:]]
                together(program.run, [self._address, *others], (self, blocks, arena))
        program.arenas.append(arena)
        program.hear(block, self._places)
