"""The events that connections wait for, and the wait that ends first."""

from infra.web_server.waiting import MAX_BYTES, SECONDS, Wait, Waiting


def test_wait_ends_after_its_time() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.add("a", Wait.CLOSE, 100.0)
    waiting.add("b", Wait.CLOSE, 100.5)
    waiting.add("c", Wait.REQUEST, 0.0)
    assert waiting.expired(100.0 + SECONDS[Wait.CLOSE]) == ["c", "a"]
    assert (waiting.remove("a"), waiting.remove("a")) == (Wait.CLOSE, None)
    assert waiting.expired(103.0) == ["c", "b"]


def test_least_needed_is_the_oldest_of_the_least_needed_wait() -> None:
    waiting: Waiting[str] = Waiting()
    for name, wait in [("queued", Wait.THREAD), ("reader", Wait.READER), ("half", Wait.REST_OF_REQUEST)]:
        waiting.add(name, wait, 0.0)
    for name, wait in [("idle", Wait.REQUEST), ("idle later", Wait.REQUEST), ("closing", Wait.CLOSE)]:
        waiting.add(name, wait, 1.0)
    order = []
    while found := waiting.least_needed():
        waiting.remove(found)
        order.append(found)
    assert order == ["closing", "idle", "idle later", "half", "reader"]
    assert waiting.all() == ["queued"]


def test_worker_that_stops_shortens_waits() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.add("idle", Wait.REQUEST, 0.0)
    waiting.end_by(Wait.REQUEST, 2.0)
    waiting.end_by(Wait.REQUEST, 3.0)
    assert (waiting.expired(1.9), waiting.expired(2.0)) == ([], ["idle"])


def test_oldest_is_closed_while_a_wait_holds_too_many_bytes() -> None:
    waiting: Waiting[str] = Waiting()
    for name in ("first", "second"):
        waiting.add(name, Wait.THREAD, 0.0)
        waiting.add_bytes(name, MAX_BYTES[Wait.THREAD] // 2)
    waiting.add("half", Wait.REST_OF_REQUEST, 0.0)
    assert (waiting.excess(Wait.THREAD), waiting.excess(Wait.REST_OF_REQUEST)) == (None, None)
    waiting.add_bytes("second", 1)
    assert waiting.excess(Wait.THREAD) == "first"
    waiting.remove("first")
    assert waiting.excess(Wait.THREAD) is None
