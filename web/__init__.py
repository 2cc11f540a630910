"""The viewer's composition root: ``create_app`` makes the services, registers the routes and orders the checks."""

import os
from functools import partial

from flask import Flask, g
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from infra.accounts.session_store import SessionStore
from infra.accounts.user_store import UserStore
from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader
from infra.history.audit import Audit
from infra.logs import Logger
from infra.messages.masking import Mask
from infra.pubsub.backlog import BacklogReader
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_control import DeliveryControl
from infra.pubsub.publisher import Publisher, Topics
from infra.saved_filters import SavedFilters
from infra.settings import ViewerSettings, behind_front_end, viewer_settings
from infra.version import version
from web import banners, health, help
from web.access import roles, sign_in
from web.access.fair_shares import FairShares
from web.access.first_admin import FirstAdmin
from web.access.iap import IapVerifier
from web.admin import history, sessions, users
from web.api import export
from web.api import views as api
from web.compare import earlier as compare_earlier
from web.compare import views as compare
from web.delivery import backlog
from web.delivery import views as delivery
from web.delivery.state_reader import StateReader
from web.delivery.words import event_json
from web.facets import views as facets
from web.facets.index_counts import IndexCounts
from web.filters import saved_filters
from web.filters.highlights import HighlightReader
from web.health import Reachability
from web.http import compression, confirmation, errors, headers, large_answers, static_files, templating
from web.http.front_end import FrontEnd, refuse_other_hosts
from web.http.local_proxy import LocalProxy
from web.http.memory_budget import PAGES_BYTES, MemoryBudget
from web.http.session_cookie import FormSessionInterface
from web.live import views as live
from web.live.connections import Connections
from web.live.feed import Feed
from web.live.masked_rows import MaskedRows
from web.live.verdicts import SharedVerdicts
from web.messages import replay_links, rows, subscription_colours, traces
from web.messages import views as messages
from web.publishing import republish
from web.publishing import views as publishing
from web.publishing.once import Once
from web.services import Services, add_services, services
from web.timeline import views as timeline
from web.timeline.timelines import Timelines

# Enough for every form except publishing, which sets a larger limit.
_MAX_FORM_BYTES = 64 * 1024


def create_app(settings: ViewerSettings | None = None, iap: IapVerifier | None = None) -> Flask:
    """Make the viewer. Nothing connects before the first request. Raises SettingsError.

    Without ``settings`` it reads them from the environment. ``iap`` replaces the verifier of Google's assertions; it is
    used only with AUTH_MODE=iap.
    """
    settings = settings or viewer_settings(os.environ)
    # web.http.static_files serves our files. Bootstrap-Flask builds the address of its own files from static_url_path.
    app = Flask(__name__, static_url_path="/static", static_folder=None)
    _configure(app, settings)
    if settings.local_addresses:
        app.wsgi_app = LocalProxy(app.wsgi_app, settings.local_addresses)  # type: ignore[method-assign]
    if behind_front_end(os.environ):
        app.wsgi_app = FrontEnd(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    add_services(app, make_services(settings, iap))
    _register(app)
    return app


def make_services(settings: ViewerSettings, iap: IapVerifier | None = None) -> Services:
    """Make the services of one application. Nothing connects yet."""
    log = Logger(settings.log_level, settings.google_cloud_project)
    database = Database(settings)
    stored = MessageReader(database, settings.message_shards, settings.subscriptions)
    mask = Mask(settings.masked_fields)
    audit = Audit(database)
    pubsub = PubSub(settings)
    delivery_control = DeliveryControl(settings, settings.push_endpoint, database, pubsub, audit, log)
    user_store = UserStore(database, settings.secret_key)
    filters, shares = SavedFilters(database), FairShares()
    return Services(
        settings=settings,
        log=log,
        database=database,
        all_messages=stored,
        masked_messages=MessageReader(database, settings.message_shards, settings.subscriptions, mask),
        delivery_control=delivery_control,
        publisher=Publisher(Topics(settings, pubsub), pubsub, audit, log),
        once=Once(),
        backlogs=BacklogReader(settings, log),
        state_reader=StateReader(settings.subscriptions, delivery_control.observe, delivery_control.last),
        users=user_store,
        sessions=SessionStore(database),
        first_admin=FirstAdmin(user_store, settings.admin_password, log),
        iap=(iap or IapVerifier(settings.iap_audience)) if settings.auth_mode == "iap" else None,
        shares=shares,
        audit=audit,
        saved_filters=filters,
        highlights=HighlightReader(filters.all, log),
        feed=Feed(
            database=database,
            messages=stored,
            subscriptions=settings.subscriptions,
            log=log,
            render=rows.row_html,
            observe_deliveries=delivery_control.observe_all,
            cpu=shares.background,
            describe_delivery=partial(event_json, settings),
        ),
        connections=Connections(settings.max_streams),
        masked_rows=MaskedRows(mask),
        verdicts=SharedVerdicts(),
        index_counts=IndexCounts(stored),
        timelines=Timelines(stored, database, settings.subscriptions, log),
        reachability=Reachability(stored, log),
        payload_memory=MemoryBudget(),
        page_memory=MemoryBudget(PAGES_BYTES),
    )


def _configure(app: Flask, settings: ViewerSettings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=_MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=_MAX_FORM_BYTES,
        # The token is valid as long as the session that it is bound to: pages stay open for hours.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,  # _check_request does it, at its place in the order
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.session_interface = FormSessionInterface()
    templating.prepare(app.jinja_env)
    rows.add_filters(app.jinja_env)
    app.context_processor(
        lambda: {
            "user": g.get("user"),
            "environment_label": settings.environment_label,
            "has_passwords": settings.auth_mode == "password",
            "version": version(),
        }
    )


def _check_request(form_tokens: CSRFProtect) -> Response | None:
    """Run the checks of every request, in this order. Returns the answer that replaces the view's, or None."""
    refuse_other_hosts()
    roles.refuse_other_origins()
    if redirect := roles.check_role():
        return redirect
    # The token's check reads the form: after the role's check, so that no stranger makes us read a large body.
    publishing.allow_large_body()
    form_tokens.protect(apply_exemptions=True)
    if sign_in.has_passwords():
        services().first_admin.begin()
    return None


def _register(app: Flask) -> None:
    roles.init_app(app)
    form_tokens = CSRFProtect(app)
    app.before_request(lambda: _check_request(form_tokens))
    Bootstrap5(app)
    headers.init_app(app)
    static_files.init_app(app)
    large_answers.init_app(app)
    compression.init_app(app)
    confirmation.init_app(app)
    errors.init_app(app)
    delivery.init_app(app)
    backlog.init_app(app)
    help.init_app(app)
    replay_links.init_app(app)
    compare_earlier.init_app(app)
    banners.init_app(app)
    for module in (
        sign_in,
        api,
        backlog,
        delivery,
        subscription_colours,
        export,
        health,
        help,
        history,
        live,
        messages,
        compare,
        users,
        sessions,
        saved_filters,
        publishing,
        republish,
        timeline,
        facets,
        traces,
    ):
        app.register_blueprint(module.blueprint)
