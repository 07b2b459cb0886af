"""Fuzz a decoder and its driver with atheris, a fuzzer that follows the branches of the code: what it finds breaks bench.hostile.

    pip install atheris
    python -m bench.fuzz DRIVER -max_total_time=300

What stands behind DRIVER are options of libFuzzer. Start inputs are the driver's folders in tests/cases. atheris is no dependency.
"""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent.parent / "tests" / "cases"
LONGEST = 4_096  # bytes of an input: twice the longest frame


def main(argv: list[str]) -> None:
    """Fuzz until the time is over or something is found; libFuzzer ends the process."""
    driver, *options = argv
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["firmware_bridge", "edge", "hoflicht"]):
        hostile: Any = importlib.import_module("bench.hostile")

    def one(data: bytes) -> None:
        head, stream = data[:1], data[1:]
        if head < b"\x80" and driver in hostile.SEALS:
            stream = hostile.SEALS[driver](stream)
        cut = 1 + 2 * (ord(head or b"\0") & 0x7F)
        hostile.check(driver, [stream[at : at + cut] for at in range(0, len(stream), cut)])

    with tempfile.TemporaryDirectory() as folder:
        for case in CASES.glob(f"{driver}/*/input.hex"):
            digits = (line.partition("#")[0] for line in case.read_text(encoding="ascii").splitlines())
            (Path(folder) / case.parent.name).write_bytes(b"\xff" + bytes.fromhex("".join(digits)))
        atheris.Setup(["fuzz", f"-max_len={LONGEST}", *options, folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
