"""The card vault against a Redis of a dictionary: what goes in is sealed, bound to its token, and ends."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway_common.cache import Redis
from gateway_common.card import Card
from gateway_common.cards import LIFETIME, CardKeys, CardVault
from gateway_common.clock import FixedClock

CARD = Card("4242424242424242", 12, 2030, "987", "Asha Rao")


class DictionaryRedis:
    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.seconds: dict[str, int] = {}

    async def set(self, name: str, value: bytes, *, ex: int) -> None:
        self.values[name] = value
        self.seconds[name] = ex

    async def get(self, name: str) -> bytes | None:
        return self.values.get(name)

    async def delete(self, name: str) -> None:
        self.values.pop(name, None)


def a_key(name: str, fill: int) -> str:
    return f"{name}:{base64.b64encode(bytes([fill]) * 32).decode()}"


@pytest.fixture
def redis() -> DictionaryRedis:
    return DictionaryRedis()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


def a_vault(redis: DictionaryRedis, clock: FixedClock, keys: str) -> CardVault:
    return CardVault(cast("Redis", cast("Any", redis)), CardKeys.parse(keys), clock)


async def test_a_card_comes_back_and_is_sealed_meanwhile(redis: DictionaryRedis, clock: FixedClock) -> None:
    vault = a_vault(redis, clock, a_key("k1", 1))
    token = await vault.store(CARD)
    assert await vault.load(token) == CARD
    (kept,) = redis.values.values()
    assert b"4242" not in kept
    assert b"987" not in kept
    assert list(redis.seconds.values()) == [LIFETIME.total_seconds()]
    await vault.delete(token)
    assert await vault.load(token) is None


async def test_an_old_key_still_opens_and_a_dropped_one_does_not(redis: DictionaryRedis, clock: FixedClock) -> None:
    token = await a_vault(redis, clock, a_key("k1", 1)).store(CARD)
    rotated = a_vault(redis, clock, f"{a_key('k2', 2)},{a_key('k1', 1)}")
    assert await rotated.load(token) == CARD
    assert await a_vault(redis, clock, a_key("k2", 2)).load(token) is None
    assert await a_vault(redis, clock, a_key("k1", 9)).load(token) is None
    await rotated.store(CARD)
    assert list(redis.values.values())[-1].startswith(b"k2:")


async def test_an_entry_under_another_token_cannot_be_opened(redis: DictionaryRedis, clock: FixedClock) -> None:
    vault = a_vault(redis, clock, a_key("k1", 1))
    first = await vault.store(CARD)
    second = await vault.store(Card("4000000000000002", 1, 2031, "111", None))
    redis.values[f"card:{{{second}}}"] = redis.values[f"card:{{{first}}}"]
    assert await vault.load(second) is None


async def test_a_card_ends_even_when_redis_forgot_to_end_it(redis: DictionaryRedis, clock: FixedClock) -> None:
    vault = a_vault(redis, clock, a_key("k1", 1))
    token = await vault.store(CARD)
    clock.advance(seconds=LIFETIME.total_seconds())
    assert await vault.load(token) is None


def test_a_card_shows_nothing_of_itself() -> None:
    assert repr(CARD) == "Card()"
    assert "\\x01" not in repr(CardKeys.parse(a_key("k1", 1)))


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:", "k1:####", "k1:c2hvcnQ=", f"{a_key('k1', 1)},{a_key('k1', 2)}", a_key("k 1", 1)]
)
def test_unreadable_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"card data key|CARD_DATA_KEYS"):
        CardKeys.parse(text)
