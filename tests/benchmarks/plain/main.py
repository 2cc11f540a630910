"""The plain function for comparison: each step as Google's documentation shows it, without optimisation.

Token: cloud.google.com/pubsub/docs/authenticate-push-subscriptions, with the caching session that google-auth's
documentation advises. Write: firebase.google.com/docs/firestore/manage-data/add-data.
"""

import base64
import os
import time
from typing import Any

import flask
import functions_framework
import requests
from google.auth.transport import requests as google_requests
from google.cloud import firestore
from google.oauth2 import id_token

CERTS_URL = os.environ["OIDC_CERTS_URL"]
ISSUERS = ("accounts.google.com", "https://accounts.google.com")


class CachingSession(requests.Session):
    """Keeps the certificates for an hour, as CacheControl does by their max-age."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: tuple[float, requests.Response] | None = None

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        if self._kept is None or time.monotonic() > self._kept[0]:
            self._kept = (time.monotonic() + 3600, super().request(*args, **kwargs))
        return self._kept[1]


database: Any = None
certificates = google_requests.Request(session=CachingSession())


def client() -> Any:
    global database
    if database is None:
        database = firestore.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"])
    return database


@functions_framework.http
def receive(request: flask.Request) -> tuple[str, int]:
    token = request.headers["Authorization"].split(" ")[1]
    # verify_oauth2_token with the address of the certificates as a parameter.
    claims = id_token.verify_token(token, certificates, os.environ["PUSH_AUDIENCE"], CERTS_URL)
    if claims["iss"] not in ISSUERS or claims["email"] != os.environ["PUSH_SERVICE_ACCOUNT"]:
        return "Forbidden", 403
    envelope = request.get_json()
    message = envelope["message"]
    client().collection("messages").document(message["messageId"]).set(
        {
            "subscription": envelope["subscription"],
            "message_id": message["messageId"],
            "publish_time": message["publishTime"],
            "attributes": message.get("attributes", {}),
            "data": base64.b64decode(message.get("data", "")),
            "received_at": firestore.SERVER_TIMESTAMP,
        }
    )
    return "", 204
