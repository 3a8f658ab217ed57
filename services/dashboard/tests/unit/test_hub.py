from __future__ import annotations

from uuid import uuid4

from dashboard.live.feed import to_change
from dashboard.live.hub import STREAMS_PER_SESSION, Change, Hub, Stream

MINE, THEIRS = uuid4(), uuid4()


def _open(hub: Hub, merchant_id: object = MINE, session: bytes = b"s", topics: str = "payments") -> Stream:
    stream = Stream(merchant_id, session, topics.split(","))  # type: ignore[arg-type]
    hub.open(stream)
    return stream


async def test_a_change_reaches_its_merchant_and_topic_only() -> None:
    hub = Hub()
    mine, other_topic, theirs = _open(hub), _open(hub, topics="refunds"), _open(hub, THEIRS, b"t")
    hub.publish(MINE, Change("payments", {"id": "pay_1"}))
    assert await mine.next(0.1) == Change("payments", {"id": "pay_1"})
    assert await other_topic.next(0.01) is None
    assert await theirs.next(0.01) is None


async def test_four_windows_keep_their_streams_and_a_fifth_retires_the_oldest() -> None:
    hub = Hub()
    streams = [_open(hub) for _ in range(STREAMS_PER_SESSION)]
    for stream in streams:
        assert await stream.next(0.01) is None
    _open(hub)
    assert await streams[0].next(0.1) == Change("retired")
    assert await streams[1].next(0.01) is None


async def test_a_slow_window_is_told_to_look_again() -> None:
    hub = Hub()
    slow = _open(hub)
    for number in range(500):
        hub.publish(MINE, Change("payments", {"id": str(number)}))
    assert await slow.next(0.1) == Change("resync")


async def test_sign_out_closes_the_windows_of_that_session_only() -> None:
    hub = Hub()
    mine, other = _open(hub), _open(hub, session=b"other")
    hub.publish(MINE, Change("payments"))
    hub.end_session(b"s")
    assert await mine.next(0.1) == Change("closed")
    assert await other.next(0.1) == Change("payments")


async def test_draining_lets_everybody_go_and_forgets_closed_streams() -> None:
    hub = Hub()
    stream = _open(hub)
    hub.drain()
    assert await stream.next(0.1) == Change("draining")
    hub.close(stream)
    assert not hub.is_watched


def test_announcements_hold_nothing_of_the_payer() -> None:
    body = {
        "merchant_id": str(MINE),
        "payment": {
            "id": "pay_1", "order_id": "order_1", "amount": 50_000, "currency": "INR", "status": "success",
            "vpa": "user@bank", "card_last4": "4242",
        },
    }  # fmt: skip
    change = to_change("payment.success", body)
    assert change.kind == "payments"
    assert change.data["amount"] == "₹500"
    assert "user@bank" not in str(change.data)
    assert "4242" not in str(change.data)
