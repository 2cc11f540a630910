"""The local stand-in for Google's signing keys: RS256 tokens and the certificates that verify them.

A key lives as long as the process. ``certificates`` has the format of https://www.googleapis.com/oauth2/v1/certs.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

ISSUER = "https://accounts.google.com"
TOKEN_SECONDS = 3600
REUSE_SECONDS = 1800


@dataclass(frozen=True)
class SigningKey:
    """An RSA key, its id and its self-signed certificate in PEM."""

    id: str
    private: rsa.RSAPrivateKey
    certificate: str

    @classmethod
    def generate(cls) -> "SigningKey":
        """Generate a key of 2048 bits, like Google's."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "subscope local cloud")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=14))
            .sign(private, hashes.SHA256())
        )
        identity = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()[:40]
        return cls(identity, private, certificate.public_bytes(serialization.Encoding.PEM).decode())

    def sign(self, claims: Mapping[str, object], header: Mapping[str, object] | None = None) -> str:
        """Return a JWT of ``claims`` as they are; ``header`` adds to alg, kid and typ or replaces them."""
        full_header = {"alg": "RS256", "kid": self.id, "typ": "JWT", **(header or {})}
        signed = b".".join((_encode(full_header), _encode(claims)))
        signature = self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + _base64(signature)).decode()


class Signer:
    """Signs with the newest key; serves the certificates of the newest and the previous key."""

    def __init__(self) -> None:
        self._keys = [SigningKey.generate()]
        self._tokens: dict[tuple[str, str], tuple[float, str]] = {}

    @property
    def key(self) -> SigningKey:
        """The newest key."""
        return self._keys[-1]

    def certificates(self) -> dict[str, str]:
        """Return the PEM certificates by key id."""
        return {key.id: key.certificate for key in self._keys}

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a JWT of ``claims`` as they are, signed with the newest key."""
        return self.key.sign(claims)

    def push_token(self, email: str, audience: str) -> str:
        """Return a push token; reuse it for half an hour, because signing takes longer than a push."""
        until, token = self._tokens.get((email, audience), (0.0, ""))
        now = time.time()
        if now >= until:
            token = self.sign(push_claims(email, audience, now))
            self._tokens[email, audience] = (now + REUSE_SECONDS, token)
        return token

    def rotate(self) -> None:
        """Sign with a new key from now on; the certificate before the last one is no longer served."""
        self._keys = [self.key, SigningKey.generate()]
        self._tokens.clear()


def push_claims(email: str, audience: str, issued_at: float) -> dict[str, object]:
    """Return the claims of Pub/Sub's push token (cloud.google.com/pubsub/docs/authenticate-push-subscriptions).

    ``issued_at`` is in seconds since 1970; the token is valid for an hour. Tests change single claims.
    """
    subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8]))
    return {
        "aud": audience,
        "azp": subject,
        "email": email,
        "email_verified": True,
        "exp": int(issued_at) + TOKEN_SECONDS,
        "iat": int(issued_at),
        "iss": ISSUER,
        "sub": subject,
    }


def _encode(value: Mapping[str, object]) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")
