"""What the doctor sees of certificates: who they are for, who has signed them, how long they last, who may read the key."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from hoflicht.broker import BrokerConfig
from hoflicht.config import secret
from hoflicht.errors import BadConfig
from workshop.finding import Finding, well, wrong

SOON = dt.timedelta(days=30)  # the weekly timer has had forty-eight tries by then
PART = "certificate"


def own(broker: BrokerConfig, gateway: str, now: dt.datetime) -> Iterator[Finding]:
    """The files that `broker` names; `gateway` is whom the certificate must be for, empty where that does not matter."""
    again = f"hoflicht enroll {gateway or 'NAME'} https://{broker.host}:8443"
    try:
        ca = read(Path(broker.ca_file))
        certificate = read(Path(broker.cert_file))
        key = serialization.load_pem_private_key(secret(broker.key_file, "key_file").encode(), password=None)
    except (BadConfig, ValueError, TypeError) as cause:
        yield wrong(PART, "its files cannot be used", str(cause), f"repair what is named, or {again}")
        return
    yield from lasting(certificate, broker.cert_file, now, f"{again} --renew, while hoflicht authority serve runs")
    name = common_name(certificate)
    if gateway and name != gateway:
        why = f"the config is of {gateway}; the broker goes by the certificate"
        yield wrong(PART, f"{broker.cert_file} is for {name!r}", why, f"the right gateway in the config, or {again}")
    if certificate.public_key() != key.public_key():
        why = "the broker lets nobody in who cannot sign with the key of his certificate"
        yield wrong(PART, f"{broker.key_file} is not the key of {broker.cert_file}", why, again)
    if not is_signed_by(certificate, ca):
        why = "its signature is another CA's; the broker knows one"
        yield wrong(PART, f"{broker.cert_file} is not signed by {broker.ca_file}", why, again)


def lasting(certificate: x509.Certificate, file: str, now: dt.datetime, step: str) -> Iterator[Finding]:
    """How long a certificate is good from `now` on."""
    ends, begins = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    if now < begins:
        why = f"it begins on {begins:%Y-%m-%d}, and this clock says {now:%Y-%m-%d}"
        yield wrong(PART, f"{file} is not good yet", why, "set the clock: timedatectl")
    elif now >= ends:
        yield wrong(PART, f"{file} has ended", f"it was good until {ends:%Y-%m-%d}", step)
    elif ends - now < SOON:
        yield wrong(PART, f"{file} ends in {(ends - now).days} days", f"it is good until {ends:%Y-%m-%d}", step)
    else:
        yield well(PART, f"{file} is good for {(ends - now).days:,} days")


def read(path: Path) -> x509.Certificate:
    """The certificate in that file; raise BadConfig where there is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except ValueError as cause:
        raise BadConfig(f"{path}: no certificate") from cause


def common_name(certificate: x509.Certificate) -> str:
    """Whom it is for."""
    return ", ".join(str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def is_signed_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    """Whether `ca` has signed it."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
