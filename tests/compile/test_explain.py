"""The compiler shows a person what it made of a program."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program


def program() -> Program:
    x, w = sp.input("x", (2000, 900)), sp.input("w", (900, 300))
    y = snp.tanh(x @ w)
    return Program({"w": w - 0.1 * (x.T @ y), "loss": snp.sum(y)}, {"x": x, "w": w}, carry={"w": "w"})


def test_every_stage_is_shown():
    text = program().explain()
    headings = ["LEGEND", "PROGRAM", "GRAPH", "KERNELS", "MEMORY", "CODE", "LIBRARY", "LLVM"]
    assert re.findall(r"^([A-Z]{2,})\b", text, flags=re.M) == headings
    assert "loop 600000: tanh" in text  # a kernel with its fused operations
    assert re.search(r"[\d,]+ ops, [\d,]+ bytes", text)
    assert re.search(r"arena +[\d,]+ float32\[2000,300\] +buffer \d+, kernels \d+–\d+", text)
    assert re.search(r"state +0 float32\[900,300\]", text)
    assert "product (2000, 900) by (900, 300) by BLAS (sgemm)" in text
    assert "LIBRARY CALLS a step: sgemm × 2" in text
    assert "define void @run(ptr %block)" in text
    assert "define void @run" not in program().explain(ir=False)


def test_inputs_and_outputs_are_named_with_where_they_lie():
    text = program().explain(ir=False)
    *lines, loss = text[text.index("PROGRAM") : text.index("\n\nGRAPH")].splitlines()
    assert lines == [
        "PROGRAM: 2 inputs, 2 outputs",
        "  input     0 float32[2000,900]  x: from the caller",
        "  input     1 float32[900,300]   w: state at 0",
        "  output    8 float32[900,300]   w: next input, in place",
    ]
    found = re.fullmatch(r"  output +(\d+) float32\[\]          loss: to the caller", loss)
    assert found
    assert re.search(rf"^ +{found[1]} float32\[\] +(sum|cast)\(", text, flags=re.M)  # the graph's operation
    graph = text[text.index("GRAPH") : text.index("\n\nKERNELS")].splitlines()
    assert graph[0].endswith(f", {len(graph) - 1} as they are compiled")


def test_how_an_output_becomes_the_next_input_is_told():
    a, b, c = (sp.input(name, (8, 8)) for name in "abc")
    carry = {"a": "b", "b": "a", "c": "c"}  # the new b may lie on the old a, but then the old one is read
    text = Program({"a": a @ c, "b": b @ c, "c": c}, {"a": a, "b": b, "c": c}, carry=carry).explain(ir=False)
    assert re.findall(r"output .*\] +(.*)", text) == [
        "a: next input b, copied",
        "b: next input a, in place",
        "c: next input, unchanged",
    ]


def test_what_there_is_not_has_no_bytes():
    x = sp.input("x", (3,))
    assert "MEMORY: no carried state, no arena\n" in Program({"y": x * 2}, {"x": x}).explain(ir=False)
    assert "MEMORY: 1,080,000 bytes of carried state, an arena of " in program().explain(ir=False)


def test_lines_fit_a_terminal_of_80_columns():
    x = sp.input("x", (32, 10))
    y = x
    for _ in range(12):
        y = snp.tanh(y) * 2.0
    text = Program({"y": y}, {"x": x}).explain(ir=False)
    assert "loop 320: tanh 1, " in text
    assert max(map(len, text.splitlines())) <= 80


SCRIPT = "import spusk as sp; print(sp.jit(lambda x: x * 2)([1.0, 2.0])); sp.jit(lambda x: x * 3)([1.0, 2.0])"


def told(value: str) -> str:
    """What is on standard error where SPUSK_EXPLAIN has this value and two programs are compiled."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "SPUSK_EXPLAIN": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{np.array([2.0, 4.0])}\n"
    return done.stderr


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_the_environment_asks_for_it_too(value):
    text = told(value)
    assert text.count("KERNELS: 1, about 2 operations") == 2
    assert text.count("LEGEND") == 1
    assert text.count("define void @run") == 2


def test_the_environment_can_leave_the_ir_out():
    text = told("short")
    assert (
        text.count("Compiled for <string>:1:\n1 kernel, 2 operations, 32 bytes a step, no library calls\n")
        == 2
    )
    assert text.count(" x: from the caller\n") == text.count(" result: to the caller\n") == 2
    assert text.count("KERNELS: 1, about 2 operations") == 2
    assert "define" not in text


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_without_being_asked_nothing_is_said(value):
    assert told(value) == ""


def test_an_unknown_value_is_told_once():
    text = told("ir")
    assert (
        text.count("SPUSK_EXPLAIN is 'ir', which is not known; it needs 1, short (without LLVM IR) or 0") == 1
    )
    assert "KERNELS" not in text
    assert text.startswith("spusk: SPUSK_EXPLAIN is ")
    assert len(text.splitlines()) == 1


def test_a_line_sums_up_all_the_rest():
    found = re.match(
        r"(\d+) kernels?, ([\d,]+) operations, ([\d,]+) bytes a step, (.*)\n\nLEGEND",
        text := program().explain(),
    )
    assert found
    count, operations, moved, calls = found.groups()
    assert f"KERNELS: {count}, about {operations} operations and {moved} bytes a step" in text
    assert calls == "2 library calls"
    x = sp.input("x", (3,))
    assert (
        Program({"y": x * 2}, {"x": x})
        .explain()
        .startswith("1 kernel, 3 operations, 24 bytes a step, no library calls\n")
    )


def test_an_operation_takes_one_line_whatever_its_constant_holds():
    x = sp.input("x", (3, 4), "float64")
    text = Program({"y": x + np.arange(12.0).reshape(3, 4)}, {"x": x}).explain(ir=False)
    graph = text[text.index("GRAPH:") : text.index("\n\nKERNELS")].splitlines()[1:]
    assert [int(line.split()[0]) for line in graph] == [0, 1, 2]
    assert "constant(value=[[ 0. 1. 2. 3.] [ 4. 5. 6. 7.] " in graph[1]
    assert graph[2].endswith("add 0 1")
    assert "numbers of its operands" in text


def test_of_an_interpreted_program_the_graph_is_shown():
    x = sp.input("x", (3,))
    text = Program({"y": x * 2}, {"x": x}, backend="numpy").explain()
    assert text.startswith('This program is interpreted (backend="numpy"), not compiled. Its graph:\n\nx ')
    assert "mul(x, 2.0)" in text
