"""Logs for a person at night: one line, level first, on standard error."""

import logging
import sys


def to_stderr(verbose: bool = False) -> None:
    """Log from INFO on (DEBUG when verbose). systemd adds the time, a terminal shows it."""
    stamp = "%(asctime)s " if sys.stderr.isatty() else ""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.INFO,
        format=f"{stamp}%(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("urllib3").setLevel(logging.WARNING)
