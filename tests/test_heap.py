"""How many heaps the C library keeps for a gateway's threads."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, threading
from edge import heap

if {shares}:
    heap.share()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes, libc.fopen.restype = ctypes.c_void_p, [ctypes.c_void_p], ctypes.c_void_p
everybody = threading.Barrier(8)

def work():
    taken = libc.malloc(10_000)
    everybody.wait()
    libc.free(taken)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""


@pytest.mark.parametrize(("shares", "has_one"), [(True, True), (False, False)])
def test_threads_share_one_heap_once_they_are_told_to(shares: bool, has_one: bool) -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM.format(shares=shares)], capture_output=True, text=True, check=True).stdout

    assert (told.count("<heap nr=") == 1) == has_one
