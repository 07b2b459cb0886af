"""`hoflicht …` as a child of the demo: it ends when the demo is gone, however that went.

The demo holds the other end of our standard input and never writes to it; when it closes, be it by kill -9, we are alone.
"""

import os
import signal
import sys
import threading

from hoflicht import cli


def main() -> int:
    """Run the command of our arguments."""
    threading.Thread(target=_end_when_alone, name="demo", daemon=True).start()
    return cli.main()


def _end_when_alone() -> None:
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would be held when the interpreter ends
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
