"""Definitions that kernels share: elementary functions, whole powers, and the intrinsics' declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from spusk.compile.load import target
from spusk.compile.vectormath import declarations, definition

KINDS = {"f32": "float", "f64": "double"}
UNARY = ("@llvm.floor", "@llvm.sqrt", "@llvm.fabs")


def definitions(needs: Iterable[str]) -> list[str]:
    """The text of everything that the kernels call besides each other."""
    declared: set[str] = set()
    texts: list[str] = []
    for need in sorted(needs):
        if need.startswith("@llvm."):
            declared.add(_intrinsic(need))
        elif need.startswith(("@spusk.pow.int", "@spusk.pow.uint")):
            texts.append(_whole_power(need))
        elif need.startswith("@spusk."):
            _, name, dtype, *many = need.split(".")
            options: dict[str, Any] = {"fma": target().has_fma, "lanes": int(many[0]) if many else 1}
            texts.append(definition(name, dtype, **options))
            declared |= declarations(name, dtype, **options)
        else:
            declared.add(need)
    return [*sorted(declared), *texts]


def _intrinsic(name: str) -> str:
    """The declaration of an intrinsic whose arguments and result are of one type."""
    short = name.rsplit(".", 1)[1]
    found = re.fullmatch(r"(?:v(\d+))?([fi]\d+)", short)
    assert found is not None, name
    kind = KINDS.get(found[2], found[2])
    many = f"<{found[1]} x {kind}>" if found[1] else kind
    count = 1 if name.startswith(UNARY) else 2
    return f"declare {many} {name}({', '.join([many] * count)})"


def _whole_power(name: str) -> str:
    """x to a whole power by repeated squaring; the product wraps around as in NumPy."""
    kind = f"i{name.rsplit('int', 1)[1]}"
    return f"""define internal {kind} {name}({kind} %x, {kind} %y) nounwind {{
entry:
  br label %head
head:
  %base = phi {kind} [ %x, %entry ], [ %squared, %head ]
  %left = phi {kind} [ %y, %entry ], [ %half, %head ]
  %total = phi {kind} [ 1, %entry ], [ %next, %head ]
  %bit = and {kind} %left, 1
  %odd = icmp ne {kind} %bit, 0
  %product = mul {kind} %total, %base
  %next = select i1 %odd, {kind} %product, {kind} %total
  %squared = mul {kind} %base, %base
  %half = lshr {kind} %left, 1
  %more = icmp ne {kind} %half, 0
  br i1 %more, label %head, label %done
done:
  ret {kind} %next
}}"""


def barrier() -> list[str]:
    """`meet(where, threads)`: returns when all threads have called it.

    `where` holds two words: how many have come, and how often all have met. Waiting threads spin, because
    kernels are short; after a while they let other threads have the core.
    """
    return [
        "declare i32 @sched_yield()",
        """define internal void @meet(ptr %where, i64 %threads) nounwind {
entry:
  %alone = icmp eq i64 %threads, 1
  br i1 %alone, label %done, label %come
come:
  %round = getelementptr inbounds i64, ptr %where, i64 8
  %now = load atomic i64, ptr %round acquire, align 8
  %before = atomicrmw add ptr %where, i64 1 acq_rel
  %count = add i64 %before, 1
  %last = icmp eq i64 %count, %threads
  br i1 %last, label %open, label %wait
open:
  store atomic i64 0, ptr %where monotonic, align 8
  %next = add i64 %now, 1
  store atomic i64 %next, ptr %round release, align 8
  br label %done
wait:
  %spins = phi i64 [ 0, %come ], [ %more, %again ]
  %seen = load atomic i64, ptr %round acquire, align 8
  %met = icmp ne i64 %seen, %now
  br i1 %met, label %done, label %patience
patience:
  %more = add i64 %spins, 1
  %long = icmp ugt i64 %more, 4000
  br i1 %long, label %yield, label %again
yield:
  %ignored = call i32 @sched_yield()
  br label %again
again:
  br label %wait
done:
  ret void
}""",
    ]
