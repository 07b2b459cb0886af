"""Who a gateway is: a key that is made here and never leaves, and the certificate that the city's CA has given for it."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from edge.validity import ends
from hoflicht import atomic, private_key
from hoflicht.errors import BadConfig, BadPayload
from hoflicht.invitation import Answer

CA = "ca.crt"


class Identity:
    """The files of `gateway` in `folder`. Each is written whole; any of them may be missing, and the key is made when it is."""

    def __init__(self, folder: Path, gateway: str) -> None:
        self.gateway = gateway
        self.ca, self.certificate, self.key = folder / CA, folder / f"{gateway}.crt", folder / f"{gateway}.key"
        self._key = private_key.kept(self.key, "the gateway's key")

    def request(self) -> str:
        """A signing request (PKCS #10, PEM) for our key."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.gateway)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, hashes.SHA256())
        return request.public_bytes(serialization.Encoding.PEM).decode()

    def take(self, answer: Answer) -> None:
        """Keep the certificate and the CA that signed it; raise BadPayload where it is not ours, or not signed by that CA."""
        try:
            certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(answer.ca.encode()))
        except (ValueError, TypeError, InvalidSignature) as cause:
            raise BadPayload("what came is no certificate by the CA that came with it") from cause
        names = [name.value for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [self.gateway] or certificate.public_key() != self._key.public_key():
            raise BadPayload(f"the certificate is not for {self.gateway} with the key {self.key}")
        atomic.write(self.ca, answer.ca.encode(), atomic.PUBLIC)
        atomic.write(self.certificate, answer.certificate.encode(), atomic.PUBLIC)

    def ends(self) -> datetime:
        """Until when the certificate is good; raise BadConfig where there is none."""
        try:
            return ends(self.certificate)
        except BadPayload as cause:
            raise BadConfig(f"{cause}; begin with: hoflicht enroll {self.gateway} URL") from cause
