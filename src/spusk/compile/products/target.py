"""What of a processor decides the form of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Target:
    """A processor's vector unit.

    Args:
        vector_bytes: bytes of a vector register.
        has_fma: whether it multiplies and adds in one rounding.
        registers: how many vector registers there are.
    """

    vector_bytes: int = 16
    has_fma: bool = False
    registers: Literal[16, 32] = 16

    @classmethod
    def of_features(cls, architecture: str, features: Mapping[str, bool]) -> Target:
        """The target of a processor as LLVM describes it.

        Args:
            architecture: the first part of LLVM's triple.
            features: as `llvmlite.binding.get_host_cpu_features()` returns them.

        >>> Target.of_features("x86_64", {"avx": True, "avx2": True, "fma": True})
        Target(vector_bytes=32, has_fma=True, registers=16)
        >>> Target.of_features("aarch64", {})
        Target(vector_bytes=16, has_fma=True, registers=32)
        """
        if architecture in ("aarch64", "arm64"):
            return cls(vector_bytes=16, has_fma=True, registers=32)
        fma = features.get("fma", False)
        # Without avx512vl the 16 upper registers hold 512-bit vectors only, and narrow ones are needed too.
        if features.get("avx512f") and features.get("avx512vl"):
            return cls(vector_bytes=64, has_fma=True, registers=32)
        return cls(vector_bytes=32 if features.get("avx") else 16, has_fma=fma, registers=16)
