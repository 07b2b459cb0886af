"""docs/driver.md, done as it says, in a copy of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.shown import Block, blocks

GUIDE = list(blocks(ROOT / "docs/driver.md"))
CHANGED = ("firmware_bridge", "edge", "simulators", "bench", "tests")  # by the guide; the rest is looked at in its place
TABLES = {"DEVICES": "firmware_bridge/devices.py", "DRIVERS": "edge/drivers.py", "SENT": "bench/sent.py"}
IMPORTED = "\nfrom firmware_bridge.frames import"  # in devices.py; the guide says in words: import it


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository after the guide."""
    folder = tmp_path_factory.mktemp("copy")
    for path in [
        path for path in ROOT.iterdir() if path.suffix == ".toml" or (path / "__init__.py").exists() or path.name == "tests"
    ]:
        if path.name in CHANGED:
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / path.name).symlink_to(path)
    for block in GUIDE:
        follow(block, folder)
    return folder


def follow(block: Block, folder: Path) -> None:
    """Do what one block of the guide wants done: a new file, more at the end of one, an entry in a table."""
    if block.mark in TABLES:
        path = folder / TABLES[block.mark]
        text, entries = re.subn(
            rf"(\n{block.mark}: .*?)(\n}}\n)", rf"\1\n{block.text.rstrip()}\2", path.read_text(), flags=re.DOTALL
        )
        assert entries == 1
        path.write_text(text.replace(IMPORTED, f"\nfrom firmware_bridge import echo{IMPORTED}", block.mark == "DEVICES"))
    elif "/" in block.mark:
        path = folder / block.mark
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        # A function that a table names stands before the table.
        place = found if (found := before.find("\n\nSENT: ")) >= 0 else len(before)
        kept = before[:place].rstrip()
        path.write_text(kept + "\n\n\n" * bool(kept) + block.text + before[place:])


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the guide there."""
    here = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    here["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**os.environ, **here}, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_new_device_says_what_the_guide_prints(copy: Path) -> None:
    decode, _ = (block.text for block in GUIDE if block.mark == "run")
    [printed] = [block.text for block in GUIDE if block.mark == "printed"]

    ended = run(copy, decode)

    assert [json.loads(line) for line in ended.stdout.splitlines()] == [json.loads(line) for line in printed.splitlines()]
    assert f"`{ended.stderr.strip()}`" in (ROOT / "docs/driver.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_new_driver_passes_the_tests_of_all_drivers(copy: Path) -> None:
    _, tests = (block.text for block in GUIDE if block.mark == "run")

    ended = run(copy, f"{tests.strip()} -q -p no:cacheprovider")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    assert int(passed[1]) >= 13


def test_the_new_files_are_written_as_we_write(copy: Path) -> None:
    new = [block.mark for block in GUIDE if block.mark.endswith(".py")]

    for check in ("format --check", "check"):
        ended = run(copy, f"python -m ruff {check} --no-cache {' '.join(new)}")
        assert ended.returncode == 0, ended.stdout
