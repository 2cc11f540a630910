"""The viewer in this process, and its routes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from werkzeug.routing import Rule

from infra.messages.message import document_id
from infra.settings import ViewerSettings
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.viewer.visitor import services_of
from web import create_app
from web.access.iap import IapVerifier


@contextmanager
def running(settings: ViewerSettings, iap: IapVerifier | None = None) -> Iterator[Flask]:
    """Make an application and close its connections afterwards."""
    app = create_app(settings, iap)
    with pytest.MonkeyPatch.context() as patch:
        # Google's document client reads it in its constructor.
        patch.setenv("FIRESTORE_EMULATOR_HOST", settings.firestore_emulator_host)
        try:
            yield app
        finally:
            services_of(app).feed.close()
            services_of(app).database.close()


def rules(app: Flask) -> list[Rule]:
    return list(app.url_map.iter_rules())


def path_of(rule: Rule) -> str:
    values = {"document": document_id("nobody", "1"), "subscription": SUBSCRIPTION, "filename": "icon.svg"}
    values |= {"name": "nobody", "version": "0123456789ab", "trace": "0123456789abcdef" * 2}
    _, path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False) or ("", "")
    return path
