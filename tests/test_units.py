"""deploy/systemd: every role runs without privileges, and systemd finds little to complain about."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, installed

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
# Of 100, as systemd reckons; a unit without any bounds has 92. The gateway's has serial ports, and asks the kernel about the clock.
MOST_EXPOSED = {"hoflicht-edge": 22}
AS_GOOD_AS_IT_GETS = 17


def settings(unit: Path) -> dict[str, str]:
    lines = [line for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def security(unit: Path) -> subprocess.CompletedProcess[str]:
    program = installed("systemd-analyze", "apt-get install systemd")
    threshold = MOST_EXPOSED.get(unit.stem, AS_GOOD_AS_IT_GETS)
    command = [program, "security", "--offline=true", "--no-pager", f"--threshold={threshold}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_there_is_a_unit_for_each_role() -> None:
    assert [unit.stem for unit in UNITS] == [
        "hoflicht-api",
        "hoflicht-backup",
        "hoflicht-edge",
        "hoflicht-ingest",
        "hoflicht-renew",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_role_is_nobody_special(unit: Path) -> None:
    found = settings(unit)

    wanted = {
        "User": "hoflicht",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "SystemCallFilter": found["SystemCallFilter"],
        "UMask": "0077",
    }
    assert {key: found.get(key) for key in wanted} == wanted
    assert found["SystemCallFilter"].startswith("@system-service")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_a_role_little_exposed(unit: Path) -> None:
    judged = security(unit)

    assert judged.returncode == 0, judged.stdout[-200:]


def test_systemd_would_find_a_role_without_its_bounds_exposed(tmp_path: Path) -> None:
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\nUser=hoflicht\n")

    assert security(bare).returncode != 0


@pytest.mark.parametrize("unit", [*UNITS, *(ROOT / "deploy" / "systemd").glob("*.timer")], ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    program = installed("systemd-analyze", "apt-get install systemd")
    text = unit.read_text().replace("/opt/hoflicht/bin/hoflicht", "/bin/true")  # it looks whether the program is there
    (tmp_path / unit.name).write_text(text)
    if unit.suffix == ".timer":
        (tmp_path / f"{unit.stem}.service").write_text("[Service]\nExecStart=/bin/true\n")

    said = subprocess.run(
        [program, "verify", "--man=no", "--recursive-errors=no", tmp_path / unit.name], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stderr) == (0, "")
