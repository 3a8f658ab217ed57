"""Ids, money, time, context, credentials: the words that cross a service border."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway_common import context, ids
from gateway_common.auth.credentials import ApiKey, Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import key_from_json, key_to_json
from gateway_common.auth.secrets import checkout_signing_key, hash_secret, new_webhook_secret
from gateway_common.broker import definitions, topology
from gateway_common.clock import FixedClock, from_iso, to_iso
from gateway_common.errors import AuthenticationError
from gateway_common.money import MAX_AMOUNT, Money
from gateway_common.settings import DatabaseSettings, InternalTokenSettings, ServiceSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MERCHANT = uuid.uuid4()


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (ids.new_order_id, "order_"),
        (ids.new_payment_id, "pay_"),
        (ids.new_refund_id, "rfnd_"),
        (ids.new_event_id, "evt_"),
        (ids.new_endpoint_id, "we_"),
    ],
)
def test_ids_have_their_prefix_and_16_characters_and_do_not_repeat(make, prefix: str) -> None:  # type: ignore[no-untyped-def]
    made = {make() for _ in range(5000)}
    assert len(made) == 5000
    assert all(re.fullmatch(prefix + "[A-Za-z0-9]{16}", one) for one in made)
    assert all(ids.has_shape(one, prefix) for one in made)


def test_id_characters_are_evenly_spread() -> None:
    counts = Counter("".join(ids.new_payment_id()[4:] for _ in range(4000)))
    assert len(counts) == 62
    assert max(counts.values()) < 1.3 * min(counts.values())


@given(st.text())
def test_no_text_breaks_the_shape_check(text: str) -> None:
    assert ids.has_shape(text, "pay_") in (True, False)


@pytest.mark.parametrize("amount", [-1, MAX_AMOUNT + 1, True, 1.0, "1", None])
def test_money_takes_only_integers_in_range(amount: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        Money(amount, "INR")  # type: ignore[arg-type]


@given(st.integers(0, MAX_AMOUNT // 2), st.integers(0, MAX_AMOUNT // 2))
def test_money_adds_and_subtracts_exactly(a: int, b: int) -> None:
    assert (Money(a, "INR") + Money(b, "INR")) - Money(b, "INR") == Money(a, "INR")


def test_money_of_two_currencies_does_not_mix() -> None:
    with pytest.raises(ValueError, match="mix"):
        Money(1, "INR") + Money(1, "USD")


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_timestamps_are_utc_with_z_and_read_back(moment: datetime) -> None:
    aware = moment.replace(
        microsecond=moment.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(hours=5, minutes=30))
    )
    text = to_iso(aware)
    assert text.endswith("Z")
    assert from_iso(text) == aware


def test_a_trace_is_continued_with_a_span_of_our_own() -> None:
    given_one = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    continued = context.accept_traceparent(given_one)
    assert continued[:36] == given_one[:36]
    assert continued != given_one
    assert len(context.accept_traceparent("garbage")) == 55


class OneKey:
    def __init__(self, key: ApiKey) -> None:
        self.key: ApiKey | None = key
        self.asked = 0

    async def find(self, key: str) -> ApiKey | None:
        self.asked += 1
        return self.key if self.key is not None and key == self.key.key else None


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


async def test_headers_and_basic_are_both_taken_and_the_source_is_asked_once() -> None:
    source = OneKey(ApiKey("key", MERCHANT, hash_secret("secret")))
    authenticator = Authenticator(source, FixedClock(NOW))
    assert await authenticator.authenticate("key", "secret", None) == MERCHANT
    assert await authenticator.authenticate(None, None, basic("key:secret")) == MERCHANT
    assert source.asked == 1


@pytest.mark.parametrize(
    ("key", "secret", "authorization"),
    [
        (None, None, None),
        ("key", "wrong", None),
        ("other", "secret", None),
        ("key", None, None),
        (None, None, basic("key:wrong")),
        (None, None, "Basic !!!"),
        (None, None, "Bearer x"),
        (None, None, "Basic \x80"),
        (None, None, basic("a\x00b:c")),
        ("k\xe9y", "secret", None),
        ("k" * 300, "secret", None),
        ("key", "", None),
    ],
)
async def test_wrong_credentials_are_401(key: str | None, secret: str | None, authorization: str | None) -> None:
    authenticator = Authenticator(OneKey(ApiKey("key", MERCHANT, hash_secret("secret"))), FixedClock(NOW))
    with pytest.raises(AuthenticationError, match="Invalid API credentials"):
        await authenticator.authenticate(key, secret, authorization)


@pytest.mark.parametrize("key", ["a\x00b", "../merchants", "k\xe9y", "k k"])
async def test_what_cannot_be_a_key_is_not_looked_up(key: str) -> None:
    source = OneKey(None)
    with pytest.raises(AuthenticationError):
        await Authenticator(source, FixedClock(NOW)).authenticate(key, "secret", None)
    assert source.asked == 0


async def test_a_key_past_its_end_stops_even_while_remembered() -> None:
    clock = FixedClock(NOW)
    source = OneKey(ApiKey("key", MERCHANT, hash_secret("secret"), expires_at=NOW + timedelta(hours=1)))
    authenticator = Authenticator(source, clock)
    await authenticator.authenticate("key", "secret", None)
    clock.advance(hours=1)
    with pytest.raises(AuthenticationError):
        await authenticator.authenticate("key", "secret", None)


async def test_a_service_may_act_for_a_merchant_with_a_token_made_for_us() -> None:
    import time

    clock = FixedClock(datetime.fromtimestamp(time.time(), UTC))
    ours = InternalTokens("s" * 32, "refunds", clock)
    dashboard = InternalTokens("s" * 32, "dashboard", clock)
    authenticator = Authenticator(OneKey(ApiKey("key", MERCHANT, b"")), clock, ours)
    good = dashboard.headers("refunds", MERCHANT)["Authorization"]
    assert await authenticator.authenticate(None, None, good) == MERCHANT
    assert ours.verify(good).service == "dashboard"
    forged = InternalTokens("x" * 32, "dashboard", clock).headers("refunds", MERCHANT)["Authorization"]
    for bad in (
        forged,
        dashboard.headers("webhooks", MERCHANT)["Authorization"],
        dashboard.headers("refunds")["Authorization"],
    ):
        with pytest.raises(AuthenticationError):
            await authenticator.authenticate(None, None, bad)


def test_a_token_ends_after_a_minute_and_the_leeway() -> None:
    import time

    clock = FixedClock(datetime.fromtimestamp(time.time() - 120, UTC))
    stale = InternalTokens("s" * 32, "dashboard", clock).headers("refunds", MERCHANT)["Authorization"]
    with pytest.raises(AuthenticationError):
        InternalTokens("s" * 32, "refunds", clock).verify(stale)


def test_a_key_travels_between_services_without_its_secret() -> None:
    key = ApiKey("key", MERCHANT, hash_secret("secret"), expires_at=NOW)
    body = key_to_json(key)
    assert key_from_json(body) == key
    assert b"secret_test" not in body
    assert key_from_json(key_to_json(None)) is None


def test_webhook_secrets_are_32_random_bytes_as_standard_webhooks_wants_them() -> None:
    secret = new_webhook_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret != new_webhook_secret()


def test_the_checkout_signing_key_is_what_the_contract_says() -> None:
    import hashlib
    import hmac

    expected = hmac.new(b"secret_test_xyz789", b"checkout-signature", hashlib.sha256).hexdigest()
    assert checkout_signing_key("secret_test_xyz789") == expected


class Settings(ServiceSettings, DatabaseSettings, InternalTokenSettings):
    pass


def test_production_refuses_the_secrets_of_the_sample_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://payments:x@localhost/gateway")
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", "sample-sample-sample-sample-sample-sample")
    assert Settings().gateway_env == "development"
    monkeypatch.setenv("GATEWAY_ENV", "production")
    with pytest.raises(ValueError, match="INTERNAL_TOKEN_SECRET still holds the sample value"):
        Settings()


def test_settings_made_of_parts_cannot_be_changed_and_leave_other_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://payments:x@localhost/gateway")
    settings = Settings(internal_token_secret="x" * 32, what_another_service_reads="1")  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_every_dead_letter_and_binding_of_the_topology_has_a_target() -> None:
    names = [queue.name for queue in topology.ALL_QUEUES]
    assert len(names) == len(set(names))
    keys_bound = {
        (binding.exchange, binding.routing_key) for queue in topology.ALL_QUEUES for binding in queue.bindings
    }
    for queue in topology.ALL_QUEUES:
        target = queue.arguments.get("x-dead-letter-routing-key")
        if target is not None:
            assert (topology.Exchange(str(queue.arguments["x-dead-letter-exchange"])), target) in keys_bound
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"
            assert target != queue.name, "a queue is never its own dead-letter target"


def test_definitions_hold_no_password_and_give_each_user_its_own_corner() -> None:
    passwords = {user: f"pw-{user}" for user in (*definitions.PERMISSIONS, definitions.OPERATOR)}
    document = definitions.build(passwords)
    text = json.dumps(document)
    assert not any(password in text for password in passwords.values())
    payments = next(p for p in document["permissions"] if p["user"] == "payments")
    assert re.match(payments["write"], "payments")
    assert not re.match(payments["write"], "refunds")
    assert re.match(payments["read"], "payments.results")
    assert not re.match(payments["read"], "webhooks.plan")
    assert not re.match(payments["configure"], "payments.results")
