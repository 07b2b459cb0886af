"""Keys of staff: what is kept of them, and the command that makes them."""

import datetime as dt
import hashlib
import os
from pathlib import Path

import pytest

from api.staff.audit import Audit
from api.staff.keys import Key, KeyFile, Scope, find, make
from api.staff.locksmith import main
from hoflicht.errors import BadConfig

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "api.toml"
    path.write_text('city = "city.toml"\n[store]\nurl = "sqlite:///readings.db"\n[broker]\n[staff]\n')
    return path


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "staff-keys.json")


def added(config: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """The token that `hoflicht keys add` prints."""
    assert main(["add", str(config), "--name", "control room", "--scope", "yards:hold", *more]) == 0
    return capsys.readouterr().out.strip()


def found(token: str, file: KeyFile, days: float = 0) -> Key | None:
    """The key in the file that `token` is, so many days from now."""
    return find(token, file.read(), dt.datetime.now(dt.UTC) + dt.timedelta(days=days))


def test_a_key_has_256_random_bits_and_only_its_hash_is_kept() -> None:
    key, token = make("control room", [Scope.HOLD], NOW, NOW + YEAR)

    assert token.startswith(f"hoflicht_{key.id}_")
    assert len(token.removeprefix(f"hoflicht_{key.id}_")) == 43  # 256 bits in base 64
    assert key.digest == hashlib.sha256(token.encode()).hexdigest()


def test_a_key_is_known_by_all_of_it_and_until_it_ends() -> None:
    key, token = make("control room", [Scope.HOLD], NOW, NOW + YEAR)
    other, _ = make("app", [Scope.READ], NOW, NOW + YEAR)

    assert find(token, [other, key], NOW) == key
    assert find(token[:-1], [other, key], NOW) is None
    assert find(token + "x" * 1_000, [other, key], NOW) is None
    assert find("", [other, key], NOW) is None
    assert find(token, [other, key], NOW + YEAR) is None


def test_a_new_key_is_printed_once_and_in_no_file(config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]) -> None:
    token = added(config, capsys)
    main(["list", str(config)])

    secret = token.split("_", 2)[2]
    assert found(token, file) == file.read()[0]
    assert secret not in capsys.readouterr().out
    assert [path.name for path in config.parent.iterdir() if secret in path.read_text()] == []
    assert (file.read()[0].name, file.read()[0].scopes) == ("control room", (Scope.HOLD,))


def test_only_its_owner_may_read_the_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0)  # whatever this machine forbids anyway
    try:
        added(config, capsys)
    finally:
        os.umask(before)

    assert {path.name: path.stat().st_mode & 0o777 for path in config.parent.glob("staff-*")} == {
        "staff-keys.json": 0o600,
        "staff-audit.jsonl": 0o600,
    }


def test_a_file_that_others_may_write_to_makes_no_keys(config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]) -> None:
    token = added(config, capsys)
    assert found(token, file)

    (config.parent / "staff-keys.json").chmod(0o620)

    with pytest.raises(BadConfig, match="others may write to it; chmod 600"):
        file.read()


def test_a_file_that_is_none_of_keys_is_told(config: Path, file: KeyFile) -> None:
    path = config.parent / "staff-keys.json"
    path.touch(0o600)
    path.write_text('{"keys": [{"id": "1"}]}')

    with pytest.raises(BadConfig, match=r"staff-keys.json: no file of keys \(Object missing required field"):
        file.read()


def test_while_a_key_is_rotated_two_are_valid(config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]) -> None:
    old = added(config, capsys)
    main(["rotate", str(config), file.read()[0].id, "--overlap-days", "7"])
    new = capsys.readouterr().out.strip()

    in_six_days = [found(token, file, 6) for token in (old, new)]
    in_eight_days = [found(token, file, 8) for token in (old, new)]

    assert all(in_six_days)
    assert [key is None for key in in_eight_days] == [True, False]
    assert {(key.name, key.scopes) for key in file.read()} == {("control room", (Scope.HOLD,))}


def test_a_rotation_does_not_prolong_a_key_that_ends_sooner(
    config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]
) -> None:
    old = added(config, capsys, "--days", "2")
    main(["rotate", str(config), file.read()[0].id, "--overlap-days", "7"])

    assert found(old, file, 3) is None


def test_a_revoked_key_is_none_at_once(config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]) -> None:
    token, other = added(config, capsys), added(config, capsys)
    before = found(token, file)
    assert before is not None

    main(["revoke", str(config), before.id])

    assert found(token, file) is None
    assert found(other, file) is not None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["revoke", "1f0a93c2"], "there is no key '1f0a93c2'; there are: none"),
        (["add", "--name", "a\x1b[2J", "--scope", "yards:hold"], "1 to 60 printable characters"),
        (["add", "--name", " ", "--scope", "yards:hold"], "1 to 60 printable characters"),
        (["add", "--name", "app", "--scope", "yards:hold", "--days", "0"], "--days 0: 1 to 3650"),
    ],
)
def test_what_cannot_be_done_is_told(config: Path, file: KeyFile, arguments: list[str], complaint: str) -> None:
    with pytest.raises(BadConfig, match=complaint.replace("[", r"\[")):
        main([arguments[0], str(config), *arguments[1:]])

    assert file.read() == ()


def test_a_file_holds_a_hundred_keys(config: Path, file: KeyFile) -> None:
    with file.changing() as keys:
        keys += [make("app", [Scope.READ], NOW, NOW + YEAR)[0] for _ in range(100)]

    with pytest.raises(BadConfig, match="there are 100 keys already"):
        main(["add", str(config), "--name", "app", "--scope", "staff:read"])


def test_without_a_section_there_are_no_keys(config: Path) -> None:
    config.write_text(config.read_text().replace("[staff]", ""))

    with pytest.raises(BadConfig, match=r"there is no \[staff\] section"):
        main(["list", str(config)])


def test_who_made_which_key_is_in_the_audit(config: Path, file: KeyFile, capsys: pytest.CaptureFixture[str]) -> None:
    added(config, capsys)
    key = file.read()[0].id
    main(["rotate", str(config), key])
    main(["revoke", str(config), key])
    capsys.readouterr()

    main(["audit", str(config), "--last", "2"])

    told = [(entry.what, entry.outcome) for entry in Audit(config.parent / "staff-audit.jsonl").entries()]
    assert told == [("add control room: yards:hold", "done"), (f"rotate {key}", "done"), (f"revoke {key}", "done")]
    assert [line.split("  ")[-1].strip() for line in capsys.readouterr().out.splitlines()] == [
        f"rotate {key}: done",
        f"revoke {key}: done",
    ]


def test_two_who_make_keys_at_once_both_get_one(config: Path, file: KeyFile) -> None:
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            with file.changing() as keys:
                keys.append(make("app", [Scope.READ], NOW, NOW + YEAR)[0])
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)

    assert len(file.read()) == 4
