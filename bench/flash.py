"""What a lamp gateway writes to its memory card in a day, and how many years of wear that is.

The kernel counts what a process makes dirty for a block device, in pages of 4 kB; each commit of ours is brought to the card at
once, so all of it gets there. Beside it the same readings in the SQLite store of tb-gateway, an event for each site and instant,
put, read and deleted by its own code. It does not bring its commits to the card (synchronous=NORMAL): after a power cut the last
seconds are gone, and what it makes dirty twice before the kernel writes it is counted once.
"""

import datetime as dt
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import show
from bench.gateways import DISK, LAMPS, Stretch, lived

STRETCHES = [(dt.datetime(2026, 11, 25, 19), 6), (dt.datetime(2026, 11, 26, 1), 6), (dt.datetime(2026, 11, 26, 12), 6)]  # minutes
DAY_S, YEAR = 86_400, 365.25
CARD_BYTES = 16e9
# Assumed. Cycles of a block: some thousand where a cell holds three bits, several times that on an industrial card. Amplification:
# a card writes whole pages of 16 kB or more, and moves what lies beside them; small writes that are waited for are its worst case.
CYCLES, AMPLIFICATION = 1_000, 8
PEER = Path(__file__).parent / "peers" / "tb_gateway"
HOME = Path.home() / ".cache/hoflicht/tb-gateway"


def rows() -> Iterator[str]:
    """Two rows."""
    subprocess.run([PEER / "build", HOME], check=True, stdout=subprocess.DEVNULL)
    stretches = [lived(LAMPS, begins, 60 * minutes) for begins, minutes in STRETCHES]
    ours = [each.disk_bytes * DAY_S / each.seconds for each in stretches]
    peer = [_peer_bytes(each) * DAY_S / each.seconds for each in stretches]
    ratios = [one / other for one, other in zip(ours, peer, strict=True)]
    median = statistics.median
    yield (
        f"| MB written to flash a day, a lamp gateway | tb-gateway's SQLite store, which does not wait for the card |"
        f" {median(ours) / 1e6:.0f} | {median(peer) / 1e6:.0f} | {median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f} |"
        " ≤ 0.5, ≤ 1 000 MB |"
    )
    years = CARD_BYTES * CYCLES / (max(ours) * AMPLIFICATION * YEAR)
    worn = f"{CYCLES} cycles, {AMPLIFICATION} bytes written for each of ours"
    yield f"| the same: years until a card of 16 GB is worn out | {worn} | {years:.0f} | - | - | - | |"


def _peer_bytes(stretch: Stretch) -> float:
    seen: defaultdict[int, defaultdict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for reading in (reading for batch in stretch.batches for reading in batch):
        seen[reading.at_ms][reading.site][f"{reading.sensor}_{reading.quantity}"] = reading.value
    lines = [
        msgspec.json.encode(
            [
                {"deviceName": site, "deviceType": "default", "attributes": [], "telemetry": [{"ts": at_ms, "values": values}]}
                for site, values in sites.items()
            ]
        )
        for at_ms, sites in sorted(seen.items())
    ]
    with TemporaryDirectory(dir=DISK) as folder:
        an_instant = subprocess.run(
            [HOME / "bin/python", PEER / "store.py", folder], input=b"\n".join(lines), check=True, stdout=subprocess.PIPE
        ).stdout
    return float(an_instant) * len(lines)


if __name__ == "__main__":
    show(rows())
