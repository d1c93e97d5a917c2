"""Code is linked wherever there is room for it."""

import subprocess
import sys

import pytest

CROWDED = """
import ctypes, mmap
import numpy as np
import spusk as sp
from spusk.compile import Program
import llvmlite.binding  # before the addresses are crowded

def program(n):
    x = sp.input("x", (n,), "float32")
    return Program({"y": sp.numpy.exp(x) * 0.12345 + sp.numpy.tanh(x)}, {"x": x})

program(100)({"x": np.ones(100, "float32")})  # all libraries are loaded

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def reserve(size):
    return libc.mmap(None, size, 0, 0x4022, -1, 0)  # private, anonymous, without memory behind it
page = mmap.PAGESIZE
low = reserve(6 << 30)  # now all that is new lies below, 6 GiB away, or in the gaps above
gaps, size = [], 1 << 20
while size >= page:
    at = reserve(size)
    if at < low:
        libc.munmap(at, size)
        size //= 2
    else:
        gaps += [at + i for i in range(0, size, page)]
for n, at in zip(range(101, 131), gaps[::2], strict=False):
    libc.munmap(at, page)  # room for one section of the next program, but for no other
    found = program(n)({"x": np.zeros(n, "float32")})["y"]
    assert np.allclose(found, 0.12345)
print(len(gaps), "gaps")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reserves addresses as Linux gives them")
def test_code_is_linked_when_free_addresses_are_gigabytes_apart():
    done = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[0]) > 20
