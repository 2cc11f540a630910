"""The reserve of threads, and the parts of the viewer that use it."""

import runpy
from pathlib import Path

import pytest

from infra.accounts.sign_in_queue import MAX_RUNNING, SignInQueue
from infra.web_server import threads
from infra.web_server.worker import MAX_STRANGERS
from web.access.fair_shares import FairShares

ROOT = Path(__file__).resolve().parents[3]


def test_strangers_sign_ins_and_one_person_leave_threads_for_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_STREAMS", "3")
    number = runpy.run_path(str(ROOT / "web/gunicorn.conf.py"))["threads"]
    queue, shares = SignInQueue(), FairShares()
    sign_ins = MAX_RUNNING + queue.max_waiting
    one_person = shares.searches.of_one + shares.searches.max_waiting + shares.exports.of_one
    assert number - 3 - MAX_STRANGERS - sign_ins - one_person == threads.PAGES
    assert threads.PAGES >= 2, "one for /healthz, one for a page"


def test_reserve_is_the_number_that_terraform_adds() -> None:
    assert (
        f"max_instance_request_concurrency = var.viewer.max_streams + {threads.RESERVE}\n"
        in (ROOT / "terraform/modules/subscope/viewer.tf").read_text()
    )
