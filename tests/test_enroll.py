"""A gateway gets its key and certificate: over the network, by hand, again, and after a kill at any moment."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from edge import enroll
from edge.config import load_edge
from edge.starter import broker_table, with_broker
from hoflicht import BadConfig
from hoflicht.clock import HandClock, SystemClock
from hoflicht.invitation import Code
from ingest import certificates, enrolment, registrar
from ingest.authority import Authority
from tests.certified import enrolled_by_hand, opened, write_authority
from tests.conftest import free_port
from tests.roles import Role, eventually

DAY_MS = 86_400_000
FILES = ("gw-a.key", "ca.crt", "gw-a.crt", "edge.toml")  # in the order in which they are written


class Site:
    """A running authority, and a gateway's folder."""

    def __init__(self, authority: Authority, port: int, folder: Path) -> None:
        self.authority = authority
        self.url = f"https://127.0.0.1:{port}"
        self.folder = folder

    def enroll(self, code: Code | str, monkeypatch: pytest.MonkeyPatch, *more: str, url: str = "") -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{code}\n"))
        return enroll.main(["gw-a", url or self.url, "--folder", str(self.folder), *more])

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    folder = tmp_path / "gateway"
    folder.mkdir()
    with (
        closing(opened(tmp_path, SystemClock())) as authority,
        enrolment.serve(authority, f"127.0.0.1:{port}", ["127.0.0.1"], HandClock()),
    ):
        yield Site(authority, port, folder)


def test_a_code_becomes_a_gateway_that_knows_its_broker(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.enroll(site.authority.invite("gw-a"), monkeypatch) == 0

    config = load_edge(site.folder / "edge.toml")
    assert (config.gateway, config.broker.host, config.broker.port) == ("gw-a", "127.0.0.1", 8883)
    assert config.broker.key_file == str(site.folder / "gw-a.key")
    assert sorted(site.contents()) == sorted(FILES)
    assert [one.gateway for one in site.authority.signed()] == ["gw-a"]


def test_the_key_is_for_its_owner_only_and_is_not_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.enroll(site.authority.invite("gw-a"), monkeypatch)

    assert oct((site.folder / "gw-a.key").stat().st_mode)[-3:] == "600"
    [kept] = site.authority.signed()
    assert "PRIVATE" not in kept.pem


def test_what_root_makes_belongs_to_whom_the_folder_belongs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    os.chown(site.folder, 12345, 23456)

    site.enroll(site.authority.invite("gw-a"), monkeypatch)

    owners = {(path.stat().st_uid, path.stat().st_gid) for path in site.folder.iterdir()}
    assert owners == {(12345, 23456)}


def test_a_server_that_is_not_the_one_of_the_code_is_not_told_the_secret(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    with closing(opened(tmp_path / "other", SystemClock())) as other:
        code = other.invite("gw-a")
    asked: list[object] = []
    monkeypatch.setattr(site.authority, "enroll", asked.append)

    assert site.enroll(code, monkeypatch) == 1

    assert "is not where this code was made" in capsys.readouterr().err
    assert asked == []


def test_a_server_that_shows_the_citys_ca_without_having_a_certificate_by_it_is_not_told_the_secret(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    asked: list[object] = []
    with ExitStack() as stack:
        other = stack.enter_context(closing(opened(tmp_path / "other", SystemClock())))
        port = free_port()
        stack.enter_context(enrolment.serve(other, f"127.0.0.1:{port}", ["127.0.0.1"], HandClock()))
        other.ca = site.authority.ca  # a thief in between may show what everybody may read
        monkeypatch.setattr(other, "enroll", asked.append)

        assert site.enroll(site.authority.invite("gw-a"), monkeypatch, url=f"https://127.0.0.1:{port}") == 1

    assert "does not show who it is" in capsys.readouterr().err
    assert asked == []


def test_a_name_that_is_not_in_the_servers_certificate_is_not_believed(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = site.authority.invite("gw-a")

    assert site.enroll(code, monkeypatch, url=site.url.replace("127.0.0.1", "localhost")) == 1

    assert "does not show who it is (Hostname mismatch" in capsys.readouterr().err


@pytest.mark.parametrize("already", range(len(FILES) + 1))
def test_after_a_crash_at_any_step_the_same_run_ends_well(site: Site, monkeypatch: pytest.MonkeyPatch, already: int) -> None:
    code = site.authority.invite("gw-a")
    with subprocess.Popen(
        [sys.executable, "-c", DIES, str(already), "gw-a", site.url, "--folder", str(site.folder)], stdin=subprocess.PIPE
    ) as process:
        process.communicate(f"{code}\n".encode())
    assert process.returncode == (-9 if already < len(FILES) else 0)
    before = site.contents()

    assert site.enroll(code, monkeypatch) == 0

    after = site.contents()
    assert [name for name in FILES if name in before] == list(FILES[:already])
    assert {name: after[name] for name in FILES[:already]} == {name: before[name] for name in FILES[:already]}
    assert load_edge(site.folder / "edge.toml").gateway == "gw-a"
    assert len({one.serial for one in site.authority.signed()}) == 1


# The process is killed in the moment when it would give the file after so many its name.
DIES = """
import os, pathlib, signal, sys
from hoflicht.cli import main
left = int(sys.argv[1])
replace = pathlib.Path.replace

def replace_or_die(path, target):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return replace(path, target)

pathlib.Path.replace = replace_or_die
sys.exit(main(["enroll", *sys.argv[2:]]))
"""


def test_a_gateway_without_a_network_carries_request_and_answer(tmp_path: Path) -> None:
    broker = enrolled_by_hand(write_authority(tmp_path), "gw-a", tmp_path / "gateway")

    assert (broker.host, broker.port, broker.cert_file) == ("127.0.0.1", 8883, str(tmp_path / "gateway" / "gw-a.crt"))


def test_an_answer_for_another_gateway_or_key_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_authority(tmp_path)
    enrolled_by_hand(config, "gw-a", tmp_path / "a")
    (tmp_path / "thief").mkdir()

    code = enroll.main(["gw-a", "--certificate", str(tmp_path / "a" / "gw-a.json"), "--folder", str(tmp_path / "thief")])

    assert code == 1
    assert "is not for gw-a with the key" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "thief").iterdir()] == ["gw-a.key"]


@pytest.mark.parametrize("content", [b"", b"{}", b"hello", b'{"gateway":"gw-a","certificate":"x","ca":"y","host":"h","port":1}'])
def test_an_answer_that_is_none_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "answer.json").write_bytes(content)

    code = enroll.main(["gw-a", "--certificate", str(tmp_path / "answer.json"), "--folder", str(tmp_path)])

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("hoflicht enroll: ")
    assert said.count("\n") == 1


def test_a_certificate_with_four_years_left_is_left_alone_and_nobody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled_by_hand(write_authority(tmp_path), "gw-a", tmp_path / "gateway")
    nobody = f"https://127.0.0.1:{free_port()}"

    assert enroll.main(["gw-a", nobody, "--renew", "--folder", str(tmp_path / "gateway")]) == 0

    assert "nothing to do" in capsys.readouterr().out


def test_a_certificate_in_its_last_year_is_renewed_without_a_code_and_with_the_same_key(site: Site, tmp_path: Path) -> None:
    past = HandClock(SystemClock().now_ms() - (4 * 365 + 30) * DAY_MS)
    request, answer = site.folder / "gw-a.csr", site.folder / "gw-a.json"
    enroll.main(["gw-a", "--request", "--folder", str(site.folder)])
    with closing(registrar.open_authority(tmp_path / "authority.toml", past)) as then:
        answer.write_bytes(msgspec.json.encode(then.sign(certificates.read_request(request.read_bytes()))))
    enroll.main(["gw-a", "--certificate", str(answer), "--folder", str(site.folder)])
    before = site.contents()

    assert enroll.main(["gw-a", site.url, "--renew", "--folder", str(site.folder)]) == 0

    changed = {name for name, content in site.contents().items() if content != before[name]}
    assert changed == {"gw-a.crt"}
    [old, new] = site.authority.signed()
    assert (new.ends_ms - old.ends_ms) // DAY_MS == 4 * 365 + 30


def test_a_certificate_that_is_not_there_cannot_be_renewed(site: Site) -> None:
    with pytest.raises(BadConfig, match="no certificate; begin with: hoflicht enroll gw-a URL"):
        enroll.main(["gw-a", site.url, "--renew", "--folder", str(site.folder)])


def test_an_authority_that_is_away_is_one_line_and_exit_code_1(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    (site.folder / "code").write_text(str(site.authority.invite("gw-a")))

    code = enroll.main(
        ["gw-a", f"https://127.0.0.1:{port}", "--folder", str(site.folder), "--code-file", str(site.folder / "code")]
    )

    assert code == 1
    assert capsys.readouterr().err == (
        f"hoflicht enroll: the authority at 127.0.0.1:{port} does not answer: [Errno 111] Connection refused\n"
    )


@pytest.mark.parametrize("code", ["", "hello", "0" * 97, "0" * 32 + "." + "g" * 64])
def test_what_is_no_code_is_told_so_and_not_repeated(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    assert site.enroll(code, monkeypatch) == 1

    assert capsys.readouterr().err == ("hoflicht enroll: this is no code of an invitation: 32 hexadecimal digits, a dot, 64 more\n")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:8443", "https://", "https://[::1", "https://h:port"])
def test_what_is_no_address_is_an_error_of_the_command(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadConfig, match="is no address of an authority"):
        enroll.main(["gw-a", url, "--folder", str(tmp_path)])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nowhere/gw-a\.key: cannot be written \(No such file or directory\)"):
        enroll.main(["gw-a", "--request", "--folder", str(tmp_path / "nowhere")])


def test_the_code_of_an_invitation_stands_alone_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_authority(tmp_path, port=12345)

    assert registrar.main(["invite", "gw-a", "--config", str(config)]) == 0

    said = capsys.readouterr()
    assert len(said.out) == 98
    assert "hoflicht enroll gw-a https://127.0.0.1:12345" in said.err


def test_the_commands_do_it_as_processes(tmp_path: Path) -> None:
    port = free_port()
    config = write_authority(tmp_path, port)
    (tmp_path / "gateway").mkdir()
    invited = run("authority", "invite", "gw-a", "--config", config)
    with Role(tmp_path, "authority", "serve", "--config", config) as serving:
        assert eventually(lambda: "answering gateways on" in serving.log.read_text())

        enrolled = run("enroll", "gw-a", f"https://127.0.0.1:{port}", "--folder", tmp_path / "gateway", code=invited.stdout)

        assert serving.stop() == 0
    assert (enrolled.returncode, enrolled.stderr) == (0, "")
    assert run("edge", tmp_path / "gateway" / "edge.toml", "--check").returncode == 0
    revoked = run("revoke", "gw-a", "--config", config)
    assert (revoked.returncode, revoked.stdout.splitlines()[0]) == (0, f"wrote {tmp_path}/authority/crl.pem")


def run(*arguments: str | Path, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hoflicht", *map(str, arguments)]
    return subprocess.run(command, input=code, capture_output=True, text=True, timeout=30, check=False)


BROKER = broker_table("gw-a", "new.example.org", 8883)
WRITTEN = """[broker]
host = "new.example.org"
port = 8883
ca_file = "ca.crt"
cert_file = "gw-a.crt"
key_file = "gw-a.key"
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('gateway = "gw-a"\n', f'gateway = "gw-a"\n\n{WRITTEN}'),
        (
            'gateway = "gw-a"\n[broker]\nhost = "old"\n# said of air\n[ports.air]\n',
            f'gateway = "gw-a"\n{WRITTEN}# said of air\n[ports.air]\n',
        ),
        (f'gateway = "gw-a"\n# mine\n{WRITTEN}', f'gateway = "gw-a"\n# mine\n{WRITTEN}'),
        ('gateway = "gw-a"\n[broker]\n', f'gateway = "gw-a"\n{WRITTEN}'),
    ],
)
def test_a_config_that_is_there_keeps_everything_but_its_broker(before: str, after: str) -> None:
    assert with_broker(before, "gw-a", BROKER) == after


def test_a_broker_that_is_written_otherwise_is_left_to_a_person() -> None:
    with pytest.raises(BadConfig, match="put this there yourself"):
        with_broker('gateway = "gw-a"\nbroker = {host = "old"}\n', "gw-a", BROKER)


def test_the_config_of_another_gateway_is_not_changed(tmp_path: Path) -> None:
    config = write_authority(tmp_path)
    enrolled_by_hand(config, "gw-a", tmp_path / "gateway")
    before = (tmp_path / "gateway" / "edge.toml").read_bytes()

    with pytest.raises(BadConfig, match="it is the configuration of 'gw-a', not of 'gw-b'"):
        enrolled_by_hand(config, "gw-b", tmp_path / "gateway")

    assert (tmp_path / "gateway" / "edge.toml").read_bytes() == before


def test_a_key_is_not_made_anew_by_mistake(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.enroll(site.authority.invite("gw-a"), monkeypatch)
    shutil.copytree(site.folder, tmp_path / "before")

    site.enroll(site.authority.invite("gw-a"), monkeypatch)

    assert site.contents() == {path.name: path.read_bytes() for path in (tmp_path / "before").iterdir()}
