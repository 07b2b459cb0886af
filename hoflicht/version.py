"""A version as a number: readings are numbers, and a board shows who lags behind."""

import re


def number(version: str) -> int:
    """1002003 for "1.2.3"; what stands behind the third number, as in "1.2.3rc4", counts for nothing."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", version)[:3])
    return major * 1_000_000 + minor * 1_000 + patch
