"""No secret and no card number is in a log, an error body, the database, the cache or the broker's data."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import redis
from tests.conftest import Merchant

from gateway_local.stack import Stack

PAN, CVV, HOLDER = "5555555555554444", "739", "ZEBEDEE QUARTERMAIN"
CARD = {"number": PAN, "expiry_month": 12, "expiry_year": 2041, "cvv": CVV, "holder_name": HOLDER}


@pytest.fixture(scope="module")
def secrets_of_the_stack(stack: Stack) -> Mapping[str, str]:
    credentials = stack.installation.credentials
    named = {f"database password of {role}": password for role, password in credentials.database.items()}
    named |= {f"broker password of {user}": password for user, password in credentials.broker.items()}
    return named | {
        "Redis password": credentials.redis,
        "internal token secret": credentials.internal_token_secret,
        "card data key": credentials.card_data_keys.partition(":")[2],
        "Erlang cookie": credentials.erlang_cookie,
    }


def found_in(text: bytes, secrets: Mapping[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if secret.encode() in text]


def pay_by_card(merchant: Merchant) -> str:
    """A payment that succeeds, one that is declined, and one whose card is refused."""
    paid: str = merchant.pay(method="card", vpa=None, card=CARD)["id"]
    merchant.settled(paid)
    merchant.settled(merchant.pay(method="card", vpa=None, card=CARD | {"number": "4000000000000002"})["id"])
    body = {"order_id": "ref-x", "amount": 1000, "method": "card", "card": CARD | {"number": PAN[:-1] + "5"}}
    assert merchant.api.post("/payments", json=body).status_code == 400
    return paid


def own_secrets(merchant: Merchant) -> Mapping[str, str]:
    return {
        "API secret": merchant.api_secret, "webhook secret": merchant.webhook_secret, "card number": PAN, "card holder": HOLDER,
        "refused card number": PAN[:-1] + "5",
    }  # fmt: skip


def logs(stack: Stack) -> Iterator[tuple[str, bytes]]:
    for path in Path(stack.installation.layout.logs).glob("*.log"):
        yield path.name, path.read_bytes()


def test_logs_hold_no_secret(stack: Stack, merchant: Merchant, secrets_of_the_stack: Mapping[str, str]) -> None:
    pay_by_card(merchant)
    merchant.api.get("/orders", headers={"Authorization": "Basic " + "A" * 30})
    wanted = {**secrets_of_the_stack, **own_secrets(merchant)}
    assert {name: leaked for name, text in logs(stack) if (leaked := found_in(text, wanted))} == {}


def test_the_check_sees_a_secret_in_a_log(secrets_of_the_stack: Mapping[str, str]) -> None:
    name, secret = next(iter(secrets_of_the_stack.items()))
    assert found_in(f'{{"event":"oops","url":"postgresql://x:{secret}@h/db"}}'.encode(), secrets_of_the_stack) == [name]


def test_no_card_and_no_api_secret_is_in_any_store(stack: Stack, merchant: Merchant) -> None:
    pay_by_card(merchant)
    status = stack.status()
    postgres = stack.installation.postgres
    environ = {"PGPASSWORD": stack.installation.credentials.database["postgres"]}
    dump = subprocess.run(
        [postgres.bin / "pg_dump", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "gateway"],
        capture_output=True, check=True, env=environ,
    ).stdout  # fmt: skip
    # What the merchant must be able to read again is kept sealed; it may be in no dump either.
    assert found_in(dump, own_secrets(merchant)) == []
    assert merchant.id.encode() in dump  # it is the right database
    with redis.Redis.from_url(status["addresses"]["redis_url"]) as client:
        dumped = b"".join(client.dump(key) or b"" for key in client.scan_iter(count=1000))
    assert (
        found_in(dumped, {name: own_secrets(merchant)[name] for name in ("API secret", "card number", "card holder")})
        == []
    )
    data = Path(status["servers"]["rabbitmq"]["data_dir"])
    queues = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert found_in(queues, own_secrets(merchant)) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/payments", {"order_id": "ref-y", "amount": 1000, "method": "card", "card": CARD | {"cvv": "73"}}),
        (
            "POST",
            "/payments",
            {"order_id": "ref-y", "amount": 1000, "method": "card", "card": CARD | {"expiry_month": 13}},
        ),
        ("POST", "/payments", {"order_id": [PAN], "amount": 1000, "method": "card", "card": CARD}),
        ("POST", "/payments", {"order_id": "ref-y", "amount": PAN, "method": "card", "card": CARD}),
        ("PUT", "/webhooks/config", {"webhook_url": f"http://user:{PAN}@example.com/"}),
        ("POST", "/orders", {"amount": {"number": PAN}}),
    ],
)
def test_an_error_does_not_repeat_what_was_sent(merchant: Merchant, method: str, path: str, body: object) -> None:
    answer = merchant.api.request(method, path, json=body)
    assert 400 <= answer.status_code < 500
    wanted = own_secrets(merchant) | {"card holder": HOLDER}
    assert found_in(answer.content, wanted) == []


def test_wrong_credentials_are_not_repeated(stack: Stack) -> None:
    with httpx.Client(base_url=stack.urls["api"].replace("localhost", "127.0.0.1")) as client:
        answer = client.get("/orders", headers={"X-Api-Key": "key_guess_1", "X-Api-Secret": "secret_guess_2"})
    assert answer.status_code == 401
    assert found_in(answer.content, {"key": "key_guess_1", "secret": "secret_guess_2"}) == []
