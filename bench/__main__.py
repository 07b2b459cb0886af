"""`make bench`: every comparison of this folder in one table."""

import os
import platform
import sys

from bench import codecs, packs, spool, waiting


def main() -> int:
    """Print the table; it takes about a minute."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| ours | beside | ratio (median) | range |")
    print("|---|---|---|---|")
    for module in (packs, spool):
        for row in module.rows():
            print(row, flush=True)
    print("\n| decoder | MB/s | times its line rate |")
    print("|---|---|---|")
    for speed in codecs.speeds():
        print(speed, flush=True)
    print("\n| moments | true wait, s | error of p50, s | error of LES, s | ratio | within p10–p90 ± 30 s | within 3 min |")
    print("|---|---|---|---|---|---|---|")
    print(waiting.score())
    return 0


sys.exit(main())
