"""Programs as values: equal only to themselves, pickled and copied as their graph."""

import copy
import pickle
import subprocess
import sys

import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])


def chain(depth: int = 3, backend: str = "native") -> Program:
    x = y = sp.input("x", (2,), "float64")
    for _ in range(depth):
        y = y * 1.5 + snp.asarray([1.0, 2.0], dtype="float64")
    unused = sp.input("unused", (), "float64")
    return Program({"x": y, "seen": x}, {"x": x, "unused": unused}, {"x": "x"}, backend)


@BACKENDS
def test_programs_and_loops_equal_only_themselves(backend):
    values = {"x": [1.0, 2.0], "unused": 0.0}
    program = chain(backend=backend)
    one, other = program.run(values, steps=2), program.run(values, steps=2)
    assert (one == one, one == other, one != other) == (True, False, True)
    assert len({one, other, program, chain(backend=backend)}) == 4
    assert program == program
    assert program != chain(backend=backend)


@BACKENDS
@pytest.mark.parametrize("depth", [1, 3000])
@pytest.mark.parametrize("copied", [lambda p: pickle.loads(pickle.dumps(p)), copy.deepcopy, copy.copy])
def test_a_program_that_has_run_can_be_copied(backend, depth, copied):
    values = {"x": [1e-9, 2e-9], "unused": 0.0}
    if depth > 100 and backend == "native":
        depth = 300  # it is compiled
    program = chain(depth, backend)
    expected = program.run(values, steps=2)
    again = copied(program)
    loop = again.run(values, steps=2)
    assert again != program
    assert loop.values["x"].tobytes() == expected.values["x"].tobytes()
    assert loop.collected["seen"].tobytes() == expected.collected["seen"].tobytes()
    kept = pickle.loads(pickle.dumps(loop))
    assert kept.values["x"].tobytes() == expected.values["x"].tobytes()


def test_a_tensor_of_another_process_is_none_of_this_ones(tmp_path):
    script = "import sys, pickle, spusk.numpy as snp; pickle.dump(snp.asarray([1.0, 2.0]) * 3, open(sys.argv[1], 'wb'))"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "t")], check=True)
    loaded = pickle.loads((tmp_path / "t").read_bytes())
    same_process = pickle.loads((tmp_path / "t").read_bytes())
    t = snp.asarray([10.0, 20.0])
    assert loaded.serial < same_process.serial < t.serial
    assert (loaded + same_process + t).numpy().tolist() == [16, 32]
