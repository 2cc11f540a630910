"""The feed on Google's emulator, which follows every change with RESET and the whole result."""

import pytest

from tests.support.firestore.servers import google_emulator
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import viewing
from tests.support.waiting import wait_until


@pytest.mark.emulators
@pytest.mark.slow
def test_change_that_repeats_the_whole_result_is_shown_once(google_emulators: None) -> None:
    with google_emulator() as address, viewing(address) as view:
        writer = Writer(address)
        client = view.live_client()
        sent = []
        for _ in range(25):
            sent += writer.messages(2)
        writer.redeliver(sent[0], 2)
        writer.subscription(SUBSCRIPTION, observed_running=True)
        wait_until(lambda: set(sent) <= set(client.ids()), "every message's arrival", 20)
        wait_until(lambda: client.ids().count(sent[0]) == 2, "the redelivery's arrival", 20)
        wait_until(lambda: client.of("delivery"), "the state's arrival", 20)
        assert sorted(client.ids()) == sorted([*sent, sent[0]])
        assert len(client.of("delivery")) == 1
        assert client.of("feed")[-1].data["status"] == "live"
        client.close()
        writer.close()
