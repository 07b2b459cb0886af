"""The command line: what a stranger meets first."""

import subprocess
import sys

import pytest

from hoflicht import __version__
from hoflicht.cli import COMMANDS


def hoflicht(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hoflicht", *arguments], capture_output=True, text=True, check=False)


def test_help_lists_every_command() -> None:
    answer = hoflicht("--help")

    assert answer.returncode == 0
    assert [name for name in COMMANDS if f"  {name}" not in answer.stdout] == []


def test_no_command_shows_the_help() -> None:
    assert hoflicht().stdout == hoflicht("--help").stdout


def test_the_version_is_told() -> None:
    assert hoflicht("--version").stdout == f"hoflicht {__version__}\n"


def test_an_unknown_command_lists_the_known_ones() -> None:
    answer = hoflicht("demmo")

    assert answer.returncode == 2
    assert answer.stderr.startswith("hoflicht: there is no command 'demmo'; there are: demo, edge,")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    answer = hoflicht(name, "--help")

    assert answer.returncode == 0
    assert answer.stdout.startswith(f"usage: hoflicht {name}")
    assert answer.stderr == ""


@pytest.mark.parametrize("name", ["edge", "ingest", "api"])
def test_a_missing_config_is_one_line(name: str) -> None:
    answer = hoflicht(name, "/nowhere/role.toml")

    assert answer.returncode == 2
    assert answer.stderr == f"hoflicht {name}: /nowhere/role.toml: cannot be read (No such file or directory)\n"
