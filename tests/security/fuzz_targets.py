"""What fuzz_parsers.py feeds with bytes. A refusal of the parser's own is fine; anything else it raises is a finding."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

import orjson

from gateway_common.auth.credentials import read_basic
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.clock import SystemClock, from_iso
from gateway_common.context import accept_request_id, accept_traceparent
from gateway_common.errors import AuthenticationError, ExpiredCardError, InvalidCardError, InvalidVpaError
from gateway_common.events import PaymentEvent, parse
from gateway_common.ids import has_shape
from payments_api.domain.cards import accept_card
from payments_api.schemas import check_vpa, is_order_reference
from webhooks.domain.addresses import read_address
from webhooks.domain.targets import TargetPolicy, TargetRefusedError

_TOKENS = InternalTokens("s" * 40, "refunds", SystemClock())


def vpa(data: bytes) -> None:
    try:
        accepted = check_vpa(data.decode("utf-8", "surrogateescape"))
    except InvalidVpaError:
        return
    assert re.fullmatch(r"[a-zA-Z0-9._-]{1,255}@[a-zA-Z0-9]+", accepted)


def card(data: bytes) -> None:
    try:
        accepted = accept_card(orjson.loads(data), date(2030, 1, 1))
    except (orjson.JSONDecodeError, InvalidCardError, ExpiredCardError):
        return
    assert accepted.card.number.isdigit()


def identifier(data: bytes) -> None:
    text = data.decode("latin-1")
    assert not has_shape(text, "pay_") or len(text) == 20
    assert accept_request_id(text).isascii()
    assert len(accept_traceparent(text)) == 55


def credentials(data: bytes) -> None:
    read_basic("basic " + data.decode("latin-1"))


def token(data: bytes) -> None:
    try:
        _TOKENS.verify("Bearer " + data.decode("latin-1"))
    except AuthenticationError:
        return
    raise AssertionError("a token that nobody signed was taken")


def target(data: bytes) -> None:
    try:
        url = TargetPolicy(allow_private=False).check_url("http://" + data.decode("utf-8", "replace"))
    except TargetRefusedError:
        return
    address = read_address(url.host or "")
    assert address is None or address.is_global


def time(data: bytes) -> None:
    try:
        from_iso(data.decode("utf-8", "replace"))
    except ValueError:
        return


def message(data: bytes) -> None:
    delivery = Delivery.__new__(Delivery)
    delivery.body = data
    try:
        parse(PaymentEvent, delivery)
    except MalformedMessageError:
        return


def reference(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert not is_order_reference(text) or re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "vpa": vpa, "card": card, "id": identifier, "credentials": credentials, "token": token, "target": target, "time": time,
    "message": message, "reference": reference,
}  # fmt: skip
