"""Until when a certificate is good, beside what a library for all of X.509 reads in it."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from edge.validity import ends
from hoflicht import private_key
from hoflicht.errors import BadPayload

KEY = private_key.new()
SINCE = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


def certificate(until: dt.datetime, subject: str = "gw-a", issuer: str = "Musterstadt") -> bytes:
    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(KEY.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(SINCE).not_valid_after(until)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] * 4)


@pytest.mark.parametrize("until", ["2031-11-25T10:11:12Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("issuer", ["M", "M" * 64], ids=["a length of one byte", "of two"])
def test_an_end_is_read_in_both_forms_of_a_time(tmp_path: Path, until: str, issuer: str) -> None:
    file, end = tmp_path / "gw-a.crt", dt.datetime.fromisoformat(until)
    file.write_bytes(certificate(end, issuer=issuer))

    assert ends(file) == end


def test_the_first_of_a_chain_counts_whatever_stands_before_it(tmp_path: Path) -> None:
    file, end = tmp_path / "gw-a.crt", dt.datetime(2031, 11, 25, tzinfo=dt.UTC)
    file.write_bytes("Größe von gw-a\n".encode("latin-1") + certificate(end) + certificate(end.replace(year=2040)))

    assert ends(file) == end


WHOLE = certificate(dt.datetime(2031, 11, 25, tzinfo=dt.UTC))


@given(st.data())
def test_what_is_broken_is_no_certificate_or_has_an_end_and_nothing_else_is_raised(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    file = tmp_path_factory.getbasetemp() / "broken.crt"
    file.write_bytes(WHOLE[:at] + data.draw(st.binary(max_size=4)) + WHOLE[at + data.draw(st.integers(0, 4)) :])

    try:
        ends(file)
    except BadPayload as cause:
        assert str(cause) == f"{file}: no certificate"


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gw-a.crt"
    file.write_text(text)

    with pytest.raises(BadPayload, match="no certificate"):
        ends(file)


def test_a_gateway_that_runs_loads_no_library_for_certificates() -> None:
    loaded = "import sys, edge.agent; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
