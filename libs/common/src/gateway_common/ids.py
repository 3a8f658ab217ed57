"""Public ids: a prefix that names the kind, then 16 unguessable characters (API.md, Conventions)."""

from __future__ import annotations

import re
import secrets
import string
from collections import deque
from typing import NewType
from uuid import UUID

MerchantId = NewType("MerchantId", UUID)
OrderId = NewType("OrderId", str)
PaymentId = NewType("PaymentId", str)
RefundId = NewType("RefundId", str)
EventId = NewType("EventId", str)
EndpointId = NewType("EndpointId", str)

ALPHABET = string.ascii_letters + string.digits
RANDOM_LENGTH = 16

_SHAPE = re.compile(r"[a-z]+_[A-Za-z0-9]{16}\Z")


# Asking the kernel for randomness costs more than everything else about an id, so it is asked once for two hundred.
_STOCK_BYTES = 4096
_stock: deque[str] = deque()


def _random_part() -> str:
    while True:
        try:
            return _stock.pop()
        except IndexError:
            _stock.extend(_random_parts())


def _random_parts() -> list[str]:
    # 62^16 is about 95 bits. Bytes of 248 and more are thrown away so that no character is likelier than another.
    picked = [ALPHABET[byte % 62] for byte in secrets.token_bytes(_STOCK_BYTES) if byte < 248]
    last = len(picked) - RANDOM_LENGTH
    return ["".join(picked[start : start + RANDOM_LENGTH]) for start in range(0, last + 1, RANDOM_LENGTH)]


def new_order_id() -> OrderId:
    return OrderId("order_" + _random_part())


def new_payment_id() -> PaymentId:
    return PaymentId("pay_" + _random_part())


def new_refund_id() -> RefundId:
    return RefundId("rfnd_" + _random_part())


def new_event_id() -> EventId:
    return EventId("evt_" + _random_part())


def new_endpoint_id() -> EndpointId:
    return EndpointId("we_" + _random_part())


def has_shape(value: str, prefix: str) -> bool:
    """Whether `value` looks like an id of that prefix (`"pay_"`); saves a look-up of what cannot exist."""
    return value.startswith(prefix) and _SHAPE.match(value) is not None
