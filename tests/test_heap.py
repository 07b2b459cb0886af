"""What a gateway keeps in memory: heaps of the C library, page caches of SQLite."""

import subprocess
import sys
from pathlib import Path

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

PILE = """
from pathlib import Path
from edge.spool import LAST, Spool
from hoflicht import Reading
from hoflicht.clock import SystemClock

def resident_kb():
    return int(Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0])

spools = [Spool(Path("{path}"), 50_000_000, SystemClock()) for _ in range(3)]
before_kb = resident_kb()
for n in range(0, 60_000, 2_000):
    spools[0].append([Reading("hof-nord", "air", "pm10", 1_700_000_000_000 + n + m, 1.0) for m in range(2_000)])
first = 1
while (batch := spools[1].batch(first, LAST, 2_000)) is not None:
    first = batch.range.last + 1
    spools[2].batch(batch.range.first, batch.range.last, 2_000)
print(resident_kb() - before_kb)
"""


@pytest.mark.parametrize(("shares", "has_one"), [(True, True), (False, False)])
def test_threads_share_one_heap_once_they_are_told_to(shares: bool, has_one: bool) -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM.format(shares=shares)], capture_output=True, text=True, check=True).stdout

    assert (told.count("<heap nr=") == 1) == has_one


def test_rows_that_pile_up_stay_on_disk(tmp_path: Path) -> None:
    program = PILE.format(path=str(tmp_path / "spool.db"))
    grown_kb = int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)

    assert grown_kb < 5_000  # 2.5 MB, of them 0.8 in caches; 8.4 MB with those that SQLite has by itself
