"""The compiler shows a person what it made of a program."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program


def program() -> Program:
    x, w = sp.input("x", (2000, 900)), sp.input("w", (900, 300))
    y = snp.tanh(x @ w)
    return Program({"w": w - 0.1 * (x.T @ y), "loss": snp.sum(y)}, {"x": x, "w": w}, carry={"w": "w"})


def test_every_stage_is_shown():
    text = program().explain()
    assert re.findall(r"^([A-Z]{2,})\b", text, flags=re.M) == [
        "GRAPH",
        "KERNELS",
        "MEMORY",
        "CODE",
        "LIBRARY",
    ]
    assert "loop 600000: tanh" in text  # a kernel with its fused operations
    assert re.search(r"[\d,]+ ops, [\d,]+ bytes", text)
    assert re.search(r"arena +[\d,]+ float32\[2000,300\] +buffer \d+, kernels \d+–\d+", text)
    assert re.search(r"state +0 float32\[900,300\]", text)
    assert "product (2000, 900) by (900, 300) by BLAS (sgemm)" in text
    assert "LIBRARY CALLS a step: sgemm × 2" in text
    assert "define void @run(ptr %block)" in text
    assert "define void @run" not in program().explain(ir=False)


def test_the_environment_asks_for_it_too():
    script = "import spusk as sp; print(sp.jit(lambda x: x * 2)([1.0, 2.0]))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "SPUSK_EXPLAIN": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{np.array([2.0, 4.0])}\n"
    assert "KERNELS: 1, about 2 operations" in done.stderr
    assert "define void @run" in done.stderr
