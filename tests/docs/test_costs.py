"""docs/costs.md is what the script prints, and the formula agrees with the behaviour of the viewer."""

import re
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from docs.tools import prices
from docs.tools.cost_tables import HANDOVER_DOLLARS, RATES, handover, main, price_table, table
from docs.tools.costs import Subscription, Use, added_by, bigquery, bill, free_database_worth, handover_rate, read_times
from docs.tools.prices import DEFAULT_LOCATION, FIRESTORE
from infra.messages.cursor import Cursor
from infra.messages.message import document_id
from tests.support.firestore.writer import START
from tests.support.pages import ROOT, blocks, read
from web.live.listen_window import ListenWindow

PAGE = "docs/costs.md"
MULTI_REGION = FIRESTORE["eur3"]


def use(messages_per_day: int = 10**6) -> Use:
    return Use((Subscription(messages_per_day),))


@pytest.mark.parametrize("location", [DEFAULT_LOCATION, "eur3"])
def test_table_of_the_page_is_that_of_the_script(location: str) -> None:
    assert table(location) in read(PAGE), f"{PAGE} needs this table:\n{table(location)}"


def test_table_of_prices_is_that_of_the_script() -> None:
    assert price_table() in read(PAGE), f"{PAGE} needs this table:\n{price_table()}"
    assert all(re.fullmatch(r"20\d\d(-\d\d)?|undated", row.of) for row in prices.ROWS)
    assert all(row.page.startswith("cloud.google.com/") for row in prices.ROWS)


def test_default_location_is_the_region_of_the_module() -> None:
    blocks_of_region = re.findall(r'^variable "region" \{.*?^\}', variables(), re.MULTILINE | re.DOTALL)
    defaults = re.findall(r'^  default +=\s+"(.*)"$', "\n".join(blocks_of_region), re.MULTILINE)
    assert defaults == [DEFAULT_LOCATION]


def variables() -> str:
    """The variables of the module, and of the root that calls it."""
    return "\n".join(path.read_text() for path in sorted((ROOT / "terraform").rglob("variables.tf")))


def test_sentences_of_the_page_are_computed() -> None:
    text = " ".join(read(PAGE).split())
    for location in (DEFAULT_LOCATION, "eur3"):
        assert f"from {handover(location)}." in text
    worth = [free_database_worth(replace(use(), firestore=FIRESTORE[name])) for name in (DEFAULT_LOCATION, "eur3")]
    assert f"${worth[0]:.2f} a month (multi-region: ${worth[1]:.2f})" in text
    a_million_lines = 1e6 * 1_200 / 2**30 * prices.LOGS.dollars
    assert f"${a_million_lines:.2f} per million" in text


def test_commands_of_the_page_print_tables(capsys: pytest.CaptureFixture[str]) -> None:
    commands = "".join(blocks("sh", read(PAGE))).splitlines()
    for command in commands:
        program, *arguments = shlex.split(command)[1:]
        assert [program, arguments.pop(0)] == ["-m", "docs.tools.cost_tables"]
        main(arguments)
        assert capsys.readouterr().out.startswith("| messages a day |")
    assert len(commands) == 2


def test_multi_region_costs_twice_as_many_documents() -> None:
    region, multi_region = bill(use()), bill(replace(use(), firestore=MULTI_REGION))
    assert 1.8 < multi_region.firestore / region.firestore < 2
    assert replace(multi_region, firestore=region.firestore) == region


def test_bill_of_a_million_messages_by_hand() -> None:
    month = bill(use())
    # 55.9 GiB pushed, 10 free. Reads: 333,333 of the feed with its share again, 1,600, 960 and 10,000; 50,000 free.
    assert month.pubsub == pytest.approx((10**6 * 30 * 2000 / 2**30 - 10) / 1024 * 40)
    reads = (333_333 * read_times(10**6 / 86_400) + 12_560 - 50_000) * 30 / 100_000 * 0.03
    stored = (10**6 * 8 * 7_500 / 2**30 - 1) * 0.15
    assert month.firestore == pytest.approx(reads + 980_000 * 30 / 1e5 * 0.09 + 3e7 / 1e5 * 0.01 + stored, rel=1e-5)
    assert month.observability == 5 * 1.50


def test_second_subscription_pays_no_viewer_and_no_free_amount() -> None:
    first, second = Subscription(10**6), Subscription(10**5, message_bytes=500)
    both = Use((first, second))
    assert bill(both).viewer == bill(use()).viewer
    assert added_by(both, second) == pytest.approx(bill(both).total - bill(use()).total)
    # Alone, a part of its writes and of its storage would be free.
    assert bill(both).firestore - bill(use()).firestore > bill(Use((second,))).firestore
    # The instance that takes the first one's messages has time for these.
    assert bill(both).receiver - bill(use()).receiver < bill(Use((second,))).receiver


def test_excluded_messages_pay_their_delivery_alone() -> None:
    filtered = bill(Use((Subscription(10**6, excluded_per_day=10**6),)))
    assert filtered.pubsub > 2 * bill(use()).pubsub
    assert replace(filtered, pubsub=0) == replace(bill(use()), pubsub=0)


def test_large_payload_pays_the_documents_of_its_chunks() -> None:
    assert [Subscription(1, size).documents for size in (2_000, 16_384, 16_385, 2_000_000)] == [1, 1, 2, 4]


def test_monitor_without_a_free_database_pays_what_the_page_says() -> None:
    charged = replace(use(), has_free_database=False)
    assert bill(charged).total - bill(use()).total == pytest.approx(free_database_worth(use()))


def test_rate_of_the_handover_is_where_the_difference_begins() -> None:
    rate = handover_rate(use(), HANDOVER_DOLLARS)
    for messages, costs_more in ((rate * 86_400, True), (rate * 86_400 - 1, False)):
        tried = use(round(messages))
        assert (bill(tried).total - bigquery(tried) > HANDOVER_DOLLARS) == costs_more
    assert RATES[3] < rate * 86_400 < RATES[4]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--location", "atlantis"], "the prices of 'atlantis' are not here: known are eur3, europe-west1, nam5"),
        (["--location", "1,2,3"], "give READ,WRITE,DELETE,STORAGE"),
        (["--subscription", "1000x"], "MESSAGES_A_DAY[:BYTES[:TOKENS[:EXCLUDED]]] in whole numbers, found '1000x'"),
        (["--subscription", "1:2:3:4:5"], "found '1:2:3:4:5'"),
        (["--subscription=-1"], "found '-1'"),
    ],
)
def test_wrong_argument_is_named(capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert problem in " ".join(capsys.readouterr().err.split())


def test_prices_of_another_location_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--location", "0.06,0.18,0.02,0.18"])
    assert capsys.readouterr().out.strip() == table("eur3")


def times_read(messages_per_second: int, seconds: int) -> float:
    """Compute how often a feed reads each message on average, when messages arrive evenly."""
    window, reads, count = ListenWindow(Cursor(START, "")), 0, messages_per_second * seconds
    for number in range(count):
        at = START + timedelta(seconds=number / messages_per_second)
        window.take(Cursor(at, document_id("builds", str(number))), 1)
        reads += 1
        if start := window.next_start():
            window.move(start)
            reads += len(window)
    return reads / count


@pytest.mark.parametrize(("messages_per_second", "seconds"), [(1, 3000), (10, 1200), (40, 600)])
def test_feed_reads_as_often_as_the_formula_says(messages_per_second: int, seconds: int) -> None:
    # The feed checks only every ten seconds whether to move, so it moves slightly later than it could.
    assert 0.9 < times_read(messages_per_second, seconds) / read_times(messages_per_second) < 1.02


def test_second_instance_of_the_viewer_costs_as_much_as_the_first() -> None:
    one, two = (bill(replace(use(10**8), firestore=MULTI_REGION, viewer_instances=count)) for count in (1, 2))
    # The first instance uses the whole free amount.
    assert two.viewer > 2 * one.viewer
    more = two.firestore - one.firestore
    assert more == pytest.approx(10**8 / 3 * 4 / 3 * 30 * 0.06 / 100_000, rel=0.01)
