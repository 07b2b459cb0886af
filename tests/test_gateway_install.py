"""deploy/gateway/install: what it writes, what it refuses, and that a second run finds nothing to do.

It writes into a root of this test. What it starts there would run in a chroot: a script in its place notes the words, makes the
environment that pip would have filled, and knows what was installed.
"""

import hashlib
import importlib.metadata
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

GATEWAY = ROOT / "deploy" / "gateway"
SYSTEMD = ROOT / "deploy" / "systemd"
WHO = ("gw-hof-nord", "https://broker.example.org:8443")
CHROOT = """\
#!/bin/sh
root=$1
shift
echo "$*" >>"$root/../words"
case "$1" in
dpkg-query) [ ! -e "$root/../second" ] || echo "install ok installed" ;;
id) [ ! -e "$root/../second" ] || echo "hoflicht dialout" ;;
install) mkdir -p "$root/etc/hoflicht" ;;
python3) mkdir -p "$root$4/bin" ;;
ln) ln -sfn "$3" "$root$4" ;;
mv) mv -T "$root$3" "$root$4" ;;
rm) rm -rf "$root$3" ;;
systemctl) mkdir -p "$root$WANTS" && : >"$root$WANTS/$3" ;;
esac
"""


class Machine:
    """An empty file system, and who runs the script."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "root"
        (self.root / "opt").mkdir(parents=True)
        self.wheel = folder / "hoflicht-0.1.0-py3-none-any.whl"
        self.wheel.write_bytes(b"a wheel")
        self._program("chroot", CHROOT)
        self._program("id", "#!/bin/sh\necho 0\n")  # root
        self._program("uname", "#!/bin/sh\necho aarch64\n")

    def run(self, *options: str, who: tuple[str, ...] = WHO, sha256: str = "") -> subprocess.CompletedProcess[str]:
        sha256 = sha256 or hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        given = ["--root", str(self.root), "--wheel", str(self.wheel), "--sha256", sha256, *options, *who]
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "WANTS": "/etc/systemd/system/multi-user.target.wants"}
        return subprocess.run([GATEWAY / "install", *given], env=environment, capture_output=True, text=True, check=False)

    def words(self) -> list[str]:
        """What was started in the root."""
        noted = self.folder / "words"
        return noted.read_text().splitlines() if noted.exists() else []

    def text(self, path: str) -> str:
        return (self.root / path.removeprefix("/")).read_text()

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_fresh_system_becomes_a_gateway(machine: Machine) -> None:
    said = machine.run()

    assert (said.returncode, said.stderr) == (0, "")
    for unit in ("hoflicht-edge.service", "hoflicht-renew.service", "hoflicht-renew.timer"):
        assert machine.text(f"/etc/systemd/system/{unit}") == (SYSTEMD / unit).read_text()
    assert f"GATEWAY={WHO[0]} AUTHORITY={WHO[1]}" in machine.text("/etc/systemd/system/hoflicht-renew.service.d/gateway.conf")
    assert "RuntimeWatchdogSec=15s" in machine.text("/etc/systemd/system.conf.d/hoflicht.conf")
    assert "SystemMaxUse=64M" in machine.text("/etc/systemd/journald.conf.d/hoflicht.conf")
    assert 'SYMLINK+="hoflicht/$id"' in machine.text("/etc/udev/rules.d/90-hoflicht.rules")
    assert f"hoflicht enroll {WHO[0]} {WHO[1]}" in said.stdout  # which an image cannot
    words = machine.words()
    assert any(word.startswith("env DEBIAN_FRONTEND=noninteractive apt-get install") and "chrony" in word for word in words)
    assert "systemctl enable hoflicht-edge.service hoflicht-renew.timer" in words
    assert "usermod --append --groups dialout hoflicht" in words


def test_nothing_is_installed_whose_hash_is_not_known(machine: Machine) -> None:
    machine.run()

    pip = [word for word in machine.words() if "/bin/pip install" in word]
    assert ["--require-hashes" in word or "--no-index --no-deps" in word for word in pip] == [True, True]


def test_a_second_run_finds_nothing_to_do(machine: Machine) -> None:
    machine.run()
    (machine.folder / "second").touch()
    (machine.folder / "words").unlink()

    said = machine.run()

    assert said.returncode == 0
    assert said.stdout.splitlines()[-1] == "nothing to do: all is as it should be"
    assert [line for line in said.stdout.splitlines() if line.startswith("+")] == []
    assert {word.split()[0] for word in machine.words()} == {"dpkg-query", "id"}


def test_an_upgrade_keeps_the_programs_before_it_and_none_older(machine: Machine) -> None:
    seen = []
    for version in ("1", "2", "3"):
        machine.wheel.write_text(version)
        machine.run()
        seen.append((machine.root / "opt" / "hoflicht").readlink().name)

    assert len(set(seen)) == 3
    assert sorted(path.name for path in (machine.root / "opt").iterdir()) == sorted(["hoflicht", *seen[1:]])


def test_a_file_that_somebody_changed_is_put_right(machine: Machine) -> None:
    machine.run()
    (machine.folder / "second").touch()
    (machine.root / "etc/systemd/journald.conf.d/hoflicht.conf").write_text("[Journal]\n")

    said = machine.run()

    assert [line for line in said.stdout.splitlines() if line.startswith("+")] == [
        "+ write /etc/systemd/journald.conf.d/hoflicht.conf"
    ]
    assert "SystemMaxUse=64M" in machine.text("/etc/systemd/journald.conf.d/hoflicht.conf")


def test_a_dry_run_tells_all_and_does_nothing(machine: Machine) -> None:
    said = machine.run("--dry-run")

    assert said.returncode == 0
    assert "+ write /etc/systemd/system/hoflicht-edge.service" in said.stdout
    assert "nothing was done" in said.stdout
    assert [path for path in machine.root.rglob("*") if path.is_file()] == []
    assert {word.split()[0] for word in machine.words()} == {"dpkg-query", "id"}


def test_a_wheel_that_is_not_the_one_that_was_made_is_refused(machine: Machine) -> None:
    said = machine.run(sha256="0" * 64)

    assert (said.returncode, said.stderr) == (2, f"install: {machine.wheel} is not what --sha256 says\n")
    assert machine.words() == []


@pytest.mark.parametrize(
    ("options", "who", "complaint"),
    [
        ((), ("GW;id", WHO[1]), "a gateway's name has lower case letters"),
        ((), (), "a gateway's name has lower case letters"),
        ((), ("gw-a", "http://broker.example.org"), "begins with https://"),
        ((), ("gw-a", "https://broker.example.org;id"), "is no address"),
        ((), (*WHO, "more"), "what is more?"),
        (("--wheels",), (), "--wheels wants a value"),
        (("--fast",), WHO, "there is no option --fast"),
    ],
)
def test_what_cannot_be_meant_is_refused(machine: Machine, options: tuple[str, ...], who: tuple[str, ...], complaint: str) -> None:
    said = machine.run(*options, who=who)

    assert said.returncode == 2
    assert complaint in said.stderr
    assert machine.words() == []


def test_everything_that_a_gateway_imports_is_pinned_with_its_hash() -> None:
    blocks = re.split(r"\n(?=[a-z])", (GATEWAY / "requirements.txt").read_text())[1:]
    pinned = {block.partition("==")[0]: block.partition("==")[2].split()[0] for block in blocks}
    assert all("--hash=sha256:" in block for block in blocks)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["edge"]]]
    below = [Requirement(text) for name in pinned for text in importlib.metadata.requires(name) or []]
    wanted = [one for one in [*asked, *below] if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert [str(one) for one in wanted if not one.specifier.contains(pinned.get(one.name.lower().replace("_", "-"), "0"))] == []
