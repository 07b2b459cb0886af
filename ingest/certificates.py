"""The city's own certificates: who signs, what stands in them, how long they last. No file, no clock, no network.

One CA signs for gateways and broker, and only they trust it. Serial numbers are random (159 bits).
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hoflicht.errors import BadConfig, BadPayload
from hoflicht.instants import ms

# Longer than any gateway hangs on its post: a new CA means a way to each of them.
CA_LIFE = timedelta(days=20 * 365)
# A stolen key is answered by revoking it, not by waiting, so a short life would guard little, and each end that nobody looked after
# silences a post. Five years bound what was stolen without anybody noticing; the last of them is for renewing
# (hoflicht.invitation.RENEWED_WITHIN).
LIFE = timedelta(days=5 * 365)
# Clocks differ: a certificate or a list of revocations from the broker's tomorrow would lock everybody out.
BACKDATED = timedelta(days=1)
PublicKey = ec.EllipticCurvePublicKey
GATEWAY, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


class Pair(NamedTuple):
    """A private key and the certificate of its public half."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class Request(NamedTuple):
    """What of a signing request is looked at: the name it gives itself, which proves nothing, and its public key."""

    name: str
    key: PublicKey


class Revoked(NamedTuple):
    """A certificate that counts no more."""

    serial: int
    since: datetime


def new_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """A CA that may sign certificates of others, and no further CA."""
    name = _name("hoflicht CA")
    builder = _builder(name, key.public_key(), now, now + CA_LIFE).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def for_gateway(ca: Pair, key: PublicKey, gateway: str, now: datetime) -> x509.Certificate:
    """The certificate of `gateway` for its key; its name becomes its user name at the broker."""
    return _sign(ca, key, gateway, [gateway], GATEWAY, now)


def for_server(ca: Pair, key: PublicKey, names: Sequence[str], now: datetime) -> x509.Certificate:
    """The certificate of broker or authority, for the names and addresses by which gateways call it."""
    return _sign(ca, key, "hoflicht server", names, SERVER, now)


def revocations(ca: Pair, revoked: Iterable[Revoked], now: datetime) -> x509.CertificateRevocationList:
    """The list of what counts no more, good for as long as the CA.

    A broker with a list that has run out lets nobody in (checked with Mosquitto 2.0.11), and a shorter life would guard nothing: it
    is for lists that travel past an enemy who holds back the new one, and this one is written to the broker's own disk.
    """
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(now - BACKDATED).next_update(ca.certificate.not_valid_after_utc)
    builder = builder.add_extension(x509.CRLNumber(ms(now)), critical=False)
    builder = builder.add_extension(_authority_id(ca), critical=False)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(ca.key, hashes.SHA256())


def read_request(pem: bytes) -> Request:
    """Read a signing request; raise BadPayload where it is none, is of another kind of key, or not signed with that key."""
    try:
        request = x509.load_pem_x509_csr(pem)
        key, signed = request.public_key(), request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as cause:
        raise BadPayload("no signing request (PKCS #10, PEM)") from cause
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or not signed:
        raise BadPayload("a signing request must be of an EC key (P-256) and signed with it")
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Request(str(names[0].value) if names else "", key)


def read_certificate(content: bytes, where: str) -> x509.Certificate:
    """Read a certificate; raise BadConfig that names the file."""
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as cause:
        raise BadConfig(f"{where}: no certificate in PEM") from cause


def digest(key: PublicKey) -> bytes:
    """What stands for a public key: SHA-256 of it."""
    public = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).digest()


def text(what: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """As a file has it (PEM)."""
    return what.public_bytes(serialization.Encoding.PEM)


def _sign(
    ca: Pair,
    key: PublicKey,
    common_name: str,
    names: Sequence[str],
    purpose: x509.ObjectIdentifier,
    now: datetime,
) -> x509.Certificate:
    end = min(now + LIFE, ca.certificate.not_valid_after_utc)
    builder = _builder(_name(common_name), key, now, end).issuer_name(ca.certificate.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
    return builder.add_extension(_authority_id(ca), critical=False).sign(ca.key, hashes.SHA256())


def _builder(name: x509.Name, key: PublicKey, now: datetime, end: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(name).public_key(key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - BACKDATED).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_id(ca: Pair) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
