"""The city's own certificate authority: one folder with ca.key, ca.crt and the register of what was signed.

What it promises: a certificate is given only to a gateway of the catalogue; only once for each invitation, or by the word of the
person who runs the command; and never for a key that was revoked. The register knows a certificate before anybody else does.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hoflicht import atomic, private_key
from hoflicht.catalogue import API
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Refused
from hoflicht.instants import moment, ms
from hoflicht.invitation import RENEWED_WITHIN, SECRET_BYTES, Answer, Code, Question, Renewal, fingerprint
from ingest import certificates
from ingest.certificates import Pair, PublicKey, Request, Revoked
from ingest.register import Register, Signed

log = logging.getLogger(__name__)

KEY, CERTIFICATE, REGISTER, REVOKED = "ca.key", "ca.crt", "authority.db", "crl.pem"
BROKER_CERTIFICATE = "broker.crt"
INVITED_FOR = timedelta(hours=72)  # from the desk to the last post of a tour; over a weekend nobody is on tour
RESERVED = {API, "ingest", "yards"}  # a gateway of that name would be taken for a part of the platform


class Authority:
    """The authority in `folder`, for several threads. `gateways` asks the catalogue; `host` and `port` are the broker's."""

    def __init__(self, folder: Path, gateways: Callable[[], Collection[str]], host: str, port: int, clock: Clock) -> None:
        self._folder = folder
        self._gateways = gateways
        self._host, self._port = host, port
        self._clock = clock
        self._lock = threading.Lock()
        self.ca = _read_ca(folder)
        self._register = Register(folder / REGISTER)

    def close(self) -> None:
        """Give the files back."""
        self._register.close()

    def key(self) -> Pair:
        """The CA with its key; raise BadConfig where the key is in its safe."""
        path = self._folder / KEY
        if not path.exists():
            raise BadConfig(f"{path} is not here: bring it from its safe for as long as you sign or revoke")
        pair = Pair(private_key.read(path, "the CA's key"), certificates.read_certificate(self.ca.encode(), CERTIFICATE))
        if pair.key.public_key() != pair.certificate.public_key():
            raise BadConfig(f"{path} is the key of another CA than {CERTIFICATE} beside it")
        return pair

    def invite(self, gateway: str) -> Code:
        """A new code for `gateway`; an older one is void."""
        self._known(gateway)
        code = Code(secrets.token_hex(SECRET_BYTES), fingerprint(self.ca))
        with self._lock:
            self._register.invite(gateway, code.secret, self._clock.now_ms() + _ms(INVITED_FOR))
        return code

    def enroll(self, question: Question) -> Answer:
        """Answer a gateway with a code; raise Refused where code or name are not right, BadPayload where the request is none."""
        request = certificates.read_request(question.request.encode())
        key = certificates.digest(request.key)
        with self._lock:
            self._register.check(question.gateway, question.secret, key, self._clock.now_ms())
            self._known_outside(question.gateway)
            return self._answer(question.gateway, request, lambda: self._register.use(question.gateway, question.secret, key))

    def renew(self, serial: int, renewal: Renewal) -> Answer:
        """Answer a gateway that has shown the certificate `serial`; raise Refused where that does not count any more."""
        request = certificates.read_request(renewal.request.encode())
        with self._lock:
            shown = next((one for one in self._register.signed() if one.serial == serial and one.revoked_ms is None), None)
            if shown is None or shown.key != certificates.digest(request.key):
                raise Refused("this certificate is not renewed: it is revoked, unknown, or of another key")
            self._known_outside(shown.gateway)
            return self._answer(shown.gateway, request)

    def sign(self, request: Request) -> Answer:
        """Answer a request that a trusted person has brought; raise BadConfig where its name is no gateway of the catalogue."""
        self._known(request.name)
        with self._lock:
            return self._answer(request.name, request)

    def revoke(self, gateway: str) -> list[Path]:
        """Revoke all that `gateway` has, and write the list wherever a broker reads it; return the files."""
        self.key()  # before anything changes
        with self._lock:
            names = sorted({one.gateway for one in self._register.signed()})
            if gateway not in names:
                raise BadConfig(f"{gateway!r} has no certificate of ours; known: {', '.join(names) or 'none'}")
            self._register.revoke(gateway, self._clock.now_ms())
        log.info("revoked: %s", gateway)
        return self.write_revoked()

    def write_revoked(self) -> list[Path]:
        """Write the list of what is revoked into our folder and each broker's, return the files; BadConfig where one cannot be."""
        with self._lock:
            revoked = [Revoked(one.serial, moment(one.revoked_ms)) for one in self._register.signed() if one.revoked_ms is not None]
            files = [Path(os.path.normpath(self._folder / folder / REVOKED)) for folder in (".", *self._register.brokers())]
        content = certificates.text(certificates.revocations(self.key(), revoked, self._now()))
        complaints = [complaint for file in files if (complaint := _complaint(file, content))]
        if complaints:
            raise BadConfig(f"{'; '.join(complaints)}; copy {files[0]} there")
        return files

    def add_broker(self, folder: Path) -> None:
        """From now on the list of what is revoked is written into `folder` too."""
        with self._lock:  # by the way from our own folder, which is the same where both are mounted into a container
            self._register.add_broker(os.path.relpath(folder, self._folder))

    def brokers(self) -> list[tuple[Path, int]]:
        """The folder of each broker, and when the certificate in it ends, in ms; 0 where it has none."""
        with self._lock:
            folders = [Path(os.path.normpath(self._folder / folder)) for folder in self._register.brokers()]
        return [(folder, _ends_ms(folder / BROKER_CERTIFICATE)) for folder in folders]

    def signed(self) -> list[Signed]:
        """All certificates, by gateway."""
        with self._lock:
            return self._register.signed()

    def server_certificate(self, key: PublicKey, names: Sequence[str]) -> bytes:
        """A certificate (PEM) for a server of ours."""
        return certificates.text(certificates.for_server(self.key(), key, names, self._now()))

    def _answer(self, gateway: str, request: Request, note: Callable[[], None] = lambda: None) -> Answer:
        """The certificate that this key has, or a new one where it has none or only a year is left of it."""
        key = certificates.digest(request.key)
        same = [one for one in self._register.signed() if one.key == key]
        if any(one.gateway != gateway for one in same):
            raise Refused("this key belongs to another gateway; move the key file away on this one, and begin anew")
        if any(one.revoked_ms is not None for one in same):
            raise Refused("this key was revoked; move the key file away on the gateway, so that it makes a new one")
        fresh = [one for one in same if one.ends_ms > self._clock.now_ms() + _ms(RENEWED_WITHIN)]
        one = fresh[-1] if fresh else self._new(gateway, request, key)
        with self._register.change():
            note()
            if not fresh:
                self._register.add(one)
        log.info("signed for %s%s: %x, until %s", gateway, ", again" if fresh else "", one.serial, moment(one.ends_ms).date())
        return Answer(gateway, one.pem, self.ca, self._host, self._port)

    def _new(self, gateway: str, request: Request, key: bytes) -> Signed:
        made = certificates.for_gateway(self.key(), request.key, gateway, self._now())
        return Signed(made.serial_number, gateway, key, ms(made.not_valid_after_utc), certificates.text(made).decode(), None)

    def _known(self, gateway: str) -> None:
        known = self._gateways()
        if gateway not in known:
            raise BadConfig(f"the catalogue has no gateway {gateway!r}; known: {', '.join(sorted(known)) or 'none'}")
        if gateway in RESERVED:
            raise BadConfig(f"{gateway!r} is a name of the platform itself; give the gateway another one")

    def _known_outside(self, gateway: str) -> None:
        """The same for who asks over the network, and is told no other names."""
        if gateway in RESERVED or gateway not in self._gateways():
            raise Refused(f"the catalogue has no gateway {gateway} any more")

    def _now(self) -> datetime:
        return moment(self._clock.now_ms())


def found(folder: Path, clock: Clock) -> None:
    """Make a new CA in `folder`; raise BadConfig where there is one."""
    if (folder / CERTIFICATE).exists():
        raise BadConfig(f"{folder / CERTIFICATE} exists already; move the folder away to begin anew")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as cause:
        raise BadConfig(f"{folder}: cannot be made ({cause.strerror})") from cause
    key = private_key.kept(folder / KEY, "the CA's key")  # first: without it a CA looks as if it were in its safe
    certificate = certificates.new_ca(key, moment(clock.now_ms()))
    atomic.write(folder / CERTIFICATE, certificates.text(certificate), atomic.PUBLIC)


def _read_ca(folder: Path) -> str:
    try:
        return (folder / CERTIFICATE).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{folder / CERTIFICATE} cannot be read; begin with: hoflicht authority init") from cause


def _ends_ms(file: Path) -> int:
    if not file.exists():
        return 0
    return ms(certificates.read_certificate(file.read_bytes(), str(file)).not_valid_after_utc)


def _complaint(file: Path, content: bytes) -> str:
    """Why the file is not written; empty where it is. One broker that is not there does not keep the list from the others."""
    try:
        atomic.write(file, content, atomic.PUBLIC)
    except BadConfig as cause:
        return str(cause)
    return ""


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
