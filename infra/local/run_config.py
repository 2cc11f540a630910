"""The configuration of one run: addresses, secrets, the services' environment, the content of the ready file. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.local import topics

ADMIN_USER = "admin"
# Without this, Google's clients may use a proxy for loopback addresses (grpc.github.io: environment variables).
_NO_PROXY = "127.0.0.1,localhost"


@dataclass(frozen=True)
class RunConfig:
    """The addresses and secrets of one run. URLs have no trailing slash. ``audience`` is that of push tokens."""

    emulators: str
    invoker: str
    viewer: str
    receiver: str
    audience: str
    push_endpoint: str
    pubsub: str
    firestore: str
    desk: str
    secret_key: str
    admin_password: str

    def environment(self) -> dict[str, str]:
        """Return the environment variables of both services, of Google's clients and of command lines."""
        return {
            "GOOGLE_CLOUD_PROJECT": topics.PROJECT,
            "FIRESTORE_DATABASE": "(default)",
            "PUSH_AUDIENCE": self.audience,
            "PUSH_SERVICE_ACCOUNT": topics.SERVICE_ACCOUNT,
            "SUBSCRIPTIONS": topics.SUBSCRIPTION,
            "OIDC_CERTS_URL": f"{self.desk}/certs",
            "SIGNATURE_CHECK": "platform" if self.invoker == "iam" else "receiver",
            "PUSH_ENDPOINT": self.push_endpoint,
            "SECRET_KEY": self.secret_key,
            "ADMIN_PASSWORD": self.admin_password,
            "ENVIRONMENT_LABEL": "LOCAL",
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "BACKLOG_URL": f"{self.desk}/backlog",
            "no_grpc_proxy": _NO_PROXY,
        }

    def ready(self, processes: Mapping[str, int | None]) -> dict[str, object]:
        """Return the content of the ready file while ``processes`` (name to process id) run."""
        return {
            "emulators": self.emulators,
            "invoker": self.invoker,
            "viewer": self.viewer,
            "receiver": self.receiver,
            "push_endpoint": self.push_endpoint,
            "pubsub": self.pubsub,
            "firestore": self.firestore,
            "certs_url": f"{self.desk}/certs",
            "token_url": f"{self.desk}/token",
            "rotate_url": f"{self.desk}/rotate",
            "backlog_url": f"{self.desk}/backlog",
            "project": topics.PROJECT,
            "topic": topics.TOPIC,
            "subscription": topics.SUBSCRIPTION,
            "dead_letter_topic": topics.DEAD_LETTER_TOPIC,
            "dead_letter_subscription": topics.DEAD_LETTER_SUBSCRIPTION,
            "push_audience": self.audience,
            "push_service_account": topics.SERVICE_ACCOUNT,
            "admin_user": ADMIN_USER,
            "admin_password": self.admin_password,
            "environment": self.environment(),
            "processes": dict(processes),
        }
