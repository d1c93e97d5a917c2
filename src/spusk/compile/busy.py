"""One thread at a time loads the compiler and compiles, and the process does not fork meanwhile.

A forked child has none of its parent's other threads, and what those had locked stays locked there for ever:
LLVM, llvmlite, and the modules that they were importing. Therefore a fork waits.
"""

from __future__ import annotations

import os
from threading import RLock

COMPILING = RLock()

if hasattr(os, "register_at_fork"):
    # The child's only thread is the one that has just taken the lock.
    os.register_at_fork(
        before=COMPILING.acquire, after_in_parent=COMPILING.release, after_in_child=COMPILING.release
    )
