"""Who gets a certificate, what stands in it, and what is revoked."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge.identity import Identity
from hoflicht import BadConfig, BadPayload, Refused
from hoflicht.clock import HandClock, SystemClock
from hoflicht.config import load
from hoflicht.invitation import Answer, Code, Question, Renewal
from ingest import authority, certificates, registrar
from ingest.authority import Authority
from ingest.registrar import AuthorityConfig
from tests.certified import opened, write_authority
from tests.conftest import ROOT

DAY_MS = 86_400_000


@pytest.fixture
def city(tmp_path: Path, clock: HandClock) -> Iterator[Authority]:
    with closing(opened(tmp_path, clock)) as one:
        yield one


def request_of(folder: Path, gateway: str) -> str:
    """A signing request of a gateway whose files are in `folder`."""
    folder.mkdir(exist_ok=True)
    return Identity(folder, gateway).request()


def ask(city: Authority, code: Code, folder: Path, gateway: str = "gw-a") -> Answer:
    return city.enroll(Question(gateway, code.secret, request_of(folder, gateway)))


def serial(answer: Answer) -> int:
    return certificates.read_certificate(answer.certificate.encode(), "answer").serial_number


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_gateway_with_its_code_gets_a_certificate_in_its_name(city: Authority, tmp_path: Path) -> None:
    answer = ask(city, city.invite("gw-a"), tmp_path / "a")

    (tmp_path / "a.crt").write_text(answer.certificate)
    said = openssl(
        "x509", "-in", tmp_path / "a.crt", "-noout", "-subject", "-ext", "subjectAltName,extendedKeyUsage,basicConstraints"
    )
    assert [line.strip() for line in said.splitlines()] == [
        "subject=CN = gw-a",
        "X509v3 Basic Constraints: critical",
        "CA:FALSE",
        "X509v3 Extended Key Usage:",
        "TLS Web Client Authentication",
        "X509v3 Subject Alternative Name:",
        "DNS:gw-a",
    ]
    assert (answer.host, answer.port) == ("127.0.0.1", 8883)


def test_openssl_takes_it_for_a_client_and_not_for_a_server(tmp_path: Path) -> None:
    with closing(opened(tmp_path, SystemClock())) as city:
        answer = ask(city, city.invite("gw-a"), tmp_path / "a")
    (tmp_path / "a.crt").write_text(answer.certificate)
    (tmp_path / "ca.crt").write_text(answer.ca)

    def verify(purpose: str) -> str:
        return openssl("verify", "-x509_strict", "-CAfile", tmp_path / "ca.crt", "-purpose", purpose, tmp_path / "a.crt")

    assert verify("sslclient") == f"{tmp_path}/a.crt: OK\n"
    assert "unsuitable certificate purpose" in verify("sslserver")


def test_a_certificate_lasts_five_years_and_its_serial_number_is_random(city: Authority, tmp_path: Path, clock: HandClock) -> None:
    answers = [ask(city, city.invite(name), tmp_path / name, name) for name in ("gw-a", "gw-b")]

    [first, second] = city.signed()
    assert first.ends_ms - clock.now_ms() == 5 * 365 * DAY_MS
    assert {first.serial, second.serial} == {serial(answer) for answer in answers}
    assert min(first.serial, second.serial) > 1 << 100


def test_a_code_is_good_for_one_key(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")
    ask(city, code, tmp_path / "a")

    with pytest.raises(Refused, match="the code is wrong, used, or has run out"):
        ask(city, code, tmp_path / "thief")


def test_an_answer_that_was_lost_can_be_asked_for_again(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")

    assert ask(city, code, tmp_path / "a") == ask(city, code, tmp_path / "a")
    assert len(city.signed()) == 1


def test_a_code_is_for_one_gateway(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")

    with pytest.raises(Refused, match="the code is wrong"):
        ask(city, code, tmp_path / "b", "gw-b")


def test_a_code_runs_out_after_three_days(city: Authority, tmp_path: Path, clock: HandClock) -> None:
    code = city.invite("gw-a")
    clock.advance(3 * DAY_MS)

    with pytest.raises(Refused, match="has run out"):
        ask(city, code, tmp_path / "a")


def test_a_new_code_makes_the_old_one_void(city: Authority, tmp_path: Path) -> None:
    old = city.invite("gw-a")
    city.invite("gw-a")

    with pytest.raises(Refused, match="the code is wrong"):
        ask(city, old, tmp_path / "a")


def test_a_code_dies_after_five_wrong_tries(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")
    for n in range(5):
        with pytest.raises(Refused):
            ask(city, Code(f"{n:032x}", code.fingerprint), tmp_path / "a")

    with pytest.raises(Refused, match="the code is wrong"):
        ask(city, code, tmp_path / "a")


def test_four_wrong_tries_are_forgiven(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")
    for n in range(4):
        with pytest.raises(Refused):
            ask(city, Code(f"{n:032x}", code.fingerprint), tmp_path / "a")

    assert ask(city, code, tmp_path / "a").gateway == "gw-a"


def test_no_code_is_kept(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")

    kept = b"".join(path.read_bytes() for path in (tmp_path / "authority").iterdir())
    assert b"gw-a" in kept
    assert code.secret.encode() not in kept
    assert bytes.fromhex(code.secret) not in kept


@pytest.mark.parametrize("name", ["gw-fremd", "", "GW", "../gw", "ingest"])
def test_nobody_is_invited_who_is_no_gateway_of_the_catalogue(city: Authority, name: str) -> None:
    with pytest.raises(BadConfig):
        city.invite(name)


def test_a_catalogue_that_cannot_be_read_is_not_a_gateway_that_is_gone(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")
    (tmp_path / "city.toml").write_text("half")

    with pytest.raises(BadConfig, match=r"city\.toml: not TOML"):
        ask(city, code, tmp_path / "a")


def test_who_was_taken_out_of_the_catalogue_meanwhile_gets_nothing(city: Authority, tmp_path: Path) -> None:
    code = city.invite("gw-a")
    catalogue = tmp_path / "city.toml"
    catalogue.write_text(catalogue.read_text().replace("gateways.gw-a", "gateways.gw-c"))

    with pytest.raises(Refused, match="the catalogue has no gateway gw-a"):
        ask(city, code, tmp_path / "a")


@pytest.mark.parametrize(
    "request_text", ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
)
def test_what_is_no_signing_request_is_not_signed(city: Authority, request_text: str) -> None:
    code = city.invite("gw-a")

    with pytest.raises(BadPayload, match="no signing request"):
        city.enroll(Question("gw-a", code.secret, request_text))


def test_another_kind_of_key_is_not_signed(city: Authority, tmp_path: Path) -> None:
    made = openssl("req", "-new", "-newkey", "rsa:2048", "-noenc", "-keyout", tmp_path / "rsa.key", "-subj", "/CN=gw-a")
    request = made[made.index("-----BEGIN CERTIFICATE REQUEST") :]

    with pytest.raises(BadPayload, match="must be of an EC key"):
        city.enroll(Question("gw-a", city.invite("gw-a").secret, request))


def test_a_request_that_its_key_has_not_signed_is_not_signed(city: Authority, tmp_path: Path) -> None:
    der = openssl_der(request_of(tmp_path / "a", "gw-a"), tmp_path)
    spoilt = certificates_pem(der[:-1] + bytes([der[-1] ^ 1]), tmp_path)

    with pytest.raises(BadPayload, match="signed with it"):
        city.enroll(Question("gw-a", city.invite("gw-a").secret, spoilt))


def openssl_der(request: str, folder: Path) -> bytes:
    (folder / "r.pem").write_text(request)
    openssl("req", "-in", folder / "r.pem", "-outform", "DER", "-out", folder / "r.der")
    return (folder / "r.der").read_bytes()


def certificates_pem(der: bytes, folder: Path) -> str:
    (folder / "r.der").write_bytes(der)
    return openssl("req", "-inform", "DER", "-in", folder / "r.der")


def test_a_certificate_renews_itself_in_its_last_year(city: Authority, tmp_path: Path, clock: HandClock) -> None:
    first = ask(city, city.invite("gw-a"), tmp_path / "a")
    renewal = Renewal(request_of(tmp_path / "a", "gw-a"))
    clock.advance((4 * 365 - 1) * DAY_MS)
    early = city.renew(serial(first), renewal)
    clock.advance(2 * DAY_MS)

    late = city.renew(serial(first), renewal)

    assert early == first
    assert serial(late) != serial(first)
    assert city.signed()[-1].ends_ms == clock.now_ms() + 5 * 365 * DAY_MS
    assert city.renew(serial(first), renewal) == late


def test_a_certificate_renews_no_other_key(city: Authority, tmp_path: Path) -> None:
    first = ask(city, city.invite("gw-a"), tmp_path / "a")

    with pytest.raises(Refused, match="of another key"):
        city.renew(serial(first), Renewal(request_of(tmp_path / "thief", "gw-a")))


def test_what_is_revoked_is_not_renewed_and_its_key_never_signed_again(city: Authority, tmp_path: Path) -> None:
    first = ask(city, city.invite("gw-a"), tmp_path / "a")
    city.revoke("gw-a")

    with pytest.raises(Refused, match="is not renewed"):
        city.renew(serial(first), Renewal(request_of(tmp_path / "a", "gw-a")))
    with pytest.raises(Refused, match="this key was revoked"):
        ask(city, city.invite("gw-a"), tmp_path / "a")


def test_a_revoked_gateway_comes_back_with_a_new_code_and_a_new_key(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    city.revoke("gw-a")

    answer = ask(city, city.invite("gw-a"), tmp_path / "new")

    assert [(one.serial == serial(answer), one.revoked_ms is None) for one in city.signed()] == [(False, False), (True, True)]


def test_revoking_ends_the_invitation_too(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    code = city.invite("gw-a")
    city.revoke("gw-a")

    with pytest.raises(Refused, match="the code is wrong"):
        ask(city, code, tmp_path / "new")


def test_a_key_belongs_to_one_gateway(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    shutil.copy(tmp_path / "a" / "gw-a.key", tmp_path / "a" / "gw-b.key")

    with pytest.raises(Refused, match="belongs to another gateway"):
        ask(city, city.invite("gw-b"), tmp_path / "a", "gw-b")


def test_the_list_names_what_is_revoked_and_outlives_everything_it_is_about(
    city: Authority, tmp_path: Path, clock: HandClock
) -> None:
    answers = {name: ask(city, city.invite(name), tmp_path / name, name) for name in ("gw-a", "gw-b")}

    [file] = city.revoke("gw-a")

    said = openssl("crl", "-in", file, "-noout", "-text")
    assert f"Serial Number: {serial(answers['gw-a']):X}".upper() in said.upper().replace("SERIAL NUMBER: 0", "SERIAL NUMBER: ")
    assert said.count("Serial Number") == 1
    ends = openssl("x509", "-in", tmp_path / "authority/ca.crt", "-noout", "-enddate").partition("=")[2]
    assert f"Next Update: {ends}" in said


def test_revoking_again_writes_the_list_again(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    [file] = city.revoke("gw-a")
    file.unlink()

    city.revoke("gw-a")

    assert "Serial Number" in openssl("crl", "-in", file, "-noout", "-text")


def test_who_has_no_certificate_cannot_be_revoked_and_the_known_are_listed(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")

    with pytest.raises(BadConfig, match="'gw-x' has no certificate of ours; known: gw-a"):
        city.revoke("gw-x")


def test_a_broker_whose_folder_is_gone_is_named_and_the_others_get_their_list(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    for name in ("gone", "there"):
        city.add_broker(tmp_path / name)
    (tmp_path / "there").mkdir()

    with pytest.raises(BadConfig, match=r"gone/crl\.pem.*copy .*/authority/crl\.pem there"):
        city.revoke("gw-a")

    assert (tmp_path / "there" / "crl.pem").exists()


def test_without_the_cas_key_nothing_is_signed_and_nothing_changes(city: Authority, tmp_path: Path) -> None:
    ask(city, city.invite("gw-a"), tmp_path / "a")
    code = city.invite("gw-b")
    key = (tmp_path / "authority" / "ca.key").rename(tmp_path / "safe")

    with pytest.raises(BadConfig, match="bring it from its safe"):
        ask(city, code, tmp_path / "b", "gw-b")
    with pytest.raises(BadConfig, match="bring it from its safe"):
        city.revoke("gw-a")

    key.rename(tmp_path / "authority" / "ca.key")
    assert [one.revoked_ms for one in city.signed()] == [None]
    assert ask(city, code, tmp_path / "b", "gw-b").gateway == "gw-b"


def test_the_key_of_another_ca_signs_nothing(city: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write_authority(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "authority" / "ca.key", tmp_path / "authority" / "ca.key")

    with pytest.raises(BadConfig, match=r"ca\.key is the key of another CA than ca\.crt beside it"):
        ask(city, city.invite("gw-a"), tmp_path / "a")


def test_a_ca_is_not_made_twice(tmp_path: Path) -> None:
    config = write_authority(tmp_path)
    before = (tmp_path / "authority" / "ca.crt").read_bytes()

    with pytest.raises(BadConfig, match="exists already"):
        registrar.main(["init", "--config", str(config)])

    assert (tmp_path / "authority" / "ca.crt").read_bytes() == before


def test_a_ca_that_was_cut_off_while_it_was_made_is_made_with_the_same_key(tmp_path: Path) -> None:
    write_authority(tmp_path)
    folder = tmp_path / "authority"
    key = (folder / "ca.key").read_bytes()
    (folder / "ca.crt").unlink()

    authority.found(folder, SystemClock())

    assert (folder / "ca.key").read_bytes() == key
    assert (folder / "ca.crt").exists()


def test_the_cas_key_is_for_its_owner_only(tmp_path: Path) -> None:
    write_authority(tmp_path)

    assert oct((tmp_path / "authority").stat().st_mode)[-3:] == "700"
    assert oct((tmp_path / "authority" / "ca.key").stat().st_mode)[-3:] == "600"


def test_a_cas_key_that_everybody_may_read_is_not_used(city: Authority, tmp_path: Path) -> None:
    (tmp_path / "authority" / "ca.key").chmod(0o644)

    with pytest.raises(BadConfig, match=r"ca\.key is open to others \(mode 644\); chmod 640"):
        city.key()


def test_the_list_says_what_must_be_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = HandClock(SystemClock().now_ms() - (4 * 365 + 30) * DAY_MS)
    with closing(opened(tmp_path, clock)) as city:
        ask(city, city.invite("gw-a"), tmp_path / "a")
        clock.set(SystemClock().now_ms())
        ask(city, city.invite("gw-b"), tmp_path / "b", "gw-b")
        ask(city, city.invite("gw-b"), tmp_path / "b2", "gw-b")

        city.add_broker(tmp_path / "broker")

    registrar.main(["list", "--config", str(tmp_path / "authority.toml")])

    [_, *gateways, broker] = capsys.readouterr().out.splitlines()
    said = [line.split("  ")[0] + ": " + line[38:64].strip() for line in gateways]
    assert said == ["gw-a: RENEW IT", "gw-b: replaced", "gw-b: good"]
    assert broker == f"the broker's in {tmp_path}/broker ends on 1970-01-01: HAS RUN OUT"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('names = ["127.0.0.1"]', "names = []", "line 2: names: Expected `array` of length >= 1"),
        ('names = ["127.0.0.1"]', 'names = ["https://x"]', "line 2: names[0]: Expected `str` matching regex"),
        ("listen", "lisen", "unknown key 'lisen'; allowed: city, names, folder, broker_port, listen"),
    ],
)
def test_a_mistake_in_the_config_names_file_and_key(tmp_path: Path, before: str, after: str, expected: str) -> None:
    config = write_authority(tmp_path)
    config.write_text(config.read_text().replace(before, after))

    with pytest.raises(BadConfig) as caught:
        registrar.main(["list", "--config", str(config)])

    assert str(caught.value).startswith(f"{config}: ")
    assert expected in str(caught.value)


def test_the_sample_has_every_key() -> None:
    sample = ROOT / "deploy" / "etc" / "authority.toml"

    config = load(sample, AuthorityConfig)

    assert config.names == ("broker.example.org",)
    assert {field.name for field in msgspec.structs.fields(AuthorityConfig)} == set(
        re.findall(r"^(\w+) = ", sample.read_text(), re.MULTILINE)
    )
