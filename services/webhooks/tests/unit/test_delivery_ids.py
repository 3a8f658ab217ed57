"""Ids that tell their day, and are the same for the same event and endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.delivery_ids import created_at_of, delivery_id, whole_milliseconds


@given(st.integers(1_577_836_800_000_000, 4_102_444_800_000_000))
def test_the_id_holds_the_time(microseconds: int) -> None:
    created_at = whole_milliseconds(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds))
    identifier = delivery_id(created_at, 3, "evt_a", "we_b")
    assert created_at_of(identifier) == created_at
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")


def test_one_event_and_endpoint_have_one_id() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert delivery_id(moment, 3, "evt_a", "we_b") == delivery_id(moment, 3, "evt_a", "we_b")
    assert delivery_id(moment, 3, "evt_a", "we_b") != delivery_id(moment, 3, "evt_a", "we_c")
    assert delivery_id(moment, 3, "evt_a", "we_b") != delivery_id(moment, 3, "evt_b", "we_b")


def test_ids_sort_as_events_happened() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    together = [delivery_id(moment, sequence, f"evt_{sequence}", "we_a") for sequence in (1, 2, 3, 5000)]
    later = delivery_id(moment + timedelta(milliseconds=1), 1, "evt_later", "we_a")
    assert sorted([later, *reversed(together)]) == [*together, later]
