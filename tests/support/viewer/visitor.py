"""Flask's test client as a signed-in person: with a session's cookie and the form token of a page."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from google.cloud.firestore import SERVER_TIMESTAMP
from werkzeug.test import TestResponse

from infra.accounts.user import Role, new_generation
from tests.support.accounts import new_address
from web.services import Services

PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
SCRIPT = {"Accept": "application/json"}
COOKIE = "subscope"
PASSWORD = "correct horse battery"


class Visitor:
    """One client of an application; ``name`` is empty for a stranger."""

    def __init__(self, app: Flask, name: str = "", base_url: str = "http://localhost") -> None:
        self.app, self.name, self.base_url = app, name, base_url
        self.client: FlaskClient = app.test_client()
        # Failed sign-ins are counted for networks: those of another test must not lock this client.
        self.client.environ_base["REMOTE_ADDR"] = new_address()
        if name:
            user = services_of(app).users.get(name)
            assert user is not None, f"there is no user {name}"
            self.client.set_cookie(COOKIE, services_of(app).sessions.create(user))

    def get(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.get(path, headers=PAGE if headers is None else headers, base_url=self.base_url, **options)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
        """Send a form, with the token of the visitor's own page unless ``csrf_token`` is given."""
        if "csrf_token" not in fields:
            fields["csrf_token"] = self.token()
        headers = {"Referer": f"{self.base_url}/", **(PAGE if headers is None else headers)}
        return self.client.post(path, data=fields, headers=headers, base_url=self.base_url)

    def token(self) -> str:
        """Return the form token of a page that this visitor can open."""
        page = self.get("/password" if self.name else "/login").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, "the page has no form token"
        return found.group(1)

    @property
    def cookie(self) -> str:
        held = self.client.get_cookie(COOKIE)
        return held.value if held else ""


def services_of(app: Flask) -> Services:
    found: Services = app.extensions["subscope"]
    return found


# The document of the first user that this process has added.
_ADDED: dict[str, Any] = {}


def add_user(app: Flask, name: str, role: Role) -> str:
    """Add a user with PASSWORD. All have the first one's hash: each hash takes 0.14 s of a processor."""
    services = services_of(app)
    document = services.database.documents.collection("users").document(name)
    if _ADDED:
        document.create({**_ADDED, "role": role, "created_at": SERVER_TIMESTAMP, "generation": new_generation()})
    else:
        services.users.add(name, PASSWORD, role, by="tests")
        _ADDED.update(document.get().to_dict() or {})
    return name


def signed_in(app: Flask, role: Role) -> Visitor:
    """Sign in a new user of this role."""
    return Visitor(app, add_user(app, f"{role}-{uuid4().hex[:8]}", role))


class Skeleton(HTMLParser):
    """The elements and attribute names of a page, which no publisher may be able to change.

    The spans that colour a payload depend on its words and are left out; all else inside ``<pre>`` counts. ``texts``
    has the texts between them, without those that are only white space.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self._in_pre = False
        self.elements: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_pre = self._in_pre or tag == "pre"
        if not (self._in_pre and tag == "span"):
            self.elements.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._in_pre = self._in_pre and tag != "pre"
        if not (self._in_pre and tag == "span"):
            self.elements.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data)
