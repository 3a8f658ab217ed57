"""JSON Schemas of request bodies: what `schemas.py` and `domain/cards.py` check, told to people and generators."""

from __future__ import annotations

from typing import Any

from gateway_common.money import MAX_AMOUNT
from gateway_common.notes import MAX_BYTES, MAX_DEPTH, MAX_KEY_LENGTH, MAX_KEYS
from payments_api.schemas import SMALLEST_AMOUNT

Schema = dict[str, Any]

_AMOUNT: Schema = {
    "type": "integer",
    "minimum": SMALLEST_AMOUNT,
    "maximum": MAX_AMOUNT,
    "description": "In the currency's smallest unit (paise)",
}
_NOTES: Schema = {
    "type": ["object", "null"],
    "maxProperties": MAX_KEYS,
    "propertyNames": {"minLength": 1, "maxLength": MAX_KEY_LENGTH},
    "description": (
        f"Your own data, given back in every answer and event: up to {MAX_KEYS} keys of 1 to {MAX_KEY_LENGTH} characters,"
        f" nested up to {MAX_DEPTH} levels, {MAX_BYTES // 1024} KiB"
    ),
}
_CURRENCY: Schema = {"type": ["string", "null"], "pattern": "^[A-Z]{3}$", "default": "INR", "description": "ISO 4217"}
_ORDER_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_VPA: Schema = {"type": "string", "pattern": "^[a-zA-Z0-9._-]+@[a-zA-Z0-9]+$", "maxLength": 255}
_CARD: Schema = {
    "type": "object",
    "required": ["number", "expiry_month", "expiry_year", "cvv", "holder_name"],
    "properties": {
        "number": {
            "type": "string",
            "pattern": "^[0-9 -]*$",
            "minLength": 13,
            "description": "13 to 19 digits with a valid check digit; spaces and dashes are taken out",
        },
        "expiry_month": {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 12},
                {"type": "string", "pattern": "^(0?[1-9]|1[0-2])$"},
            ]
        },
        "expiry_year": {
            "anyOf": [
                {"type": "integer", "minimum": 10, "maximum": 9999},
                {"type": "string", "pattern": "^([0-9]{2}){1,2}$"},
            ],
            "description": "2 or 4 digits; this month or later",
        },
        "cvv": {"type": "string", "pattern": "^[0-9]{3,4}$", "description": "4 digits for American Express, else 3"},
        "holder_name": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}
_TEST_VISA = "In test mode a card payment without `card` uses the test Visa."

NEW_ORDER: Schema = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": _AMOUNT,
        "currency": _CURRENCY,
        "receipt": {"type": ["string", "null"], "maxLength": 255, "description": "Your own number for it"},
        "notes": _NOTES,
        "multiple_payments": {
            "type": "boolean",
            "default": False,
            "description": "Whether the order takes more than one successful payment",
        },
    },
}
_PAYMENT: Schema = {
    "order_id": {
        **_ORDER_ID,
        "description": "A registered order, or with `amount` your own reference of 1 to 64 characters A-Z a-z 0-9 . _ -",
    },
    "amount": {**_AMOUNT, "type": ["integer", "null"], "description": "Must agree with a registered order's amount"},
    "currency": _CURRENCY,
    "capture": {
        "enum": ["manual", "automatic", None],
        "default": "manual",
        "description": "`automatic` captures all of it as soon as the bank has said yes",
    },
    "notes": _NOTES,
}
_BY_UPI: Schema = {"method": {"const": "upi"}, "vpa": _VPA}
_BY_CARD: Schema = {"method": {"const": "card"}, "card": {"anyOf": [_CARD, {"type": "null"}]}}

NEW_PAYMENT: Schema = {
    "oneOf": [
        {
            "title": "By UPI",
            "type": "object",
            "required": ["order_id", "method", "vpa"],
            "properties": {**_PAYMENT, **_BY_UPI},
        },
        {
            "title": "By card",
            "description": _TEST_VISA,
            "type": "object",
            "required": ["order_id", "method"],
            "properties": {**_PAYMENT, **_BY_CARD},
        },
    ]
}
NEW_PUBLIC_PAYMENT: Schema = {
    "oneOf": [
        {
            "title": "By UPI",
            "type": "object",
            "required": ["order_id", "method", "vpa"],
            "properties": {"order_id": _ORDER_ID, **_BY_UPI},
        },
        {
            "title": "By card",
            "type": "object",
            "description": _TEST_VISA,
            "required": ["order_id", "method"],
            "properties": {"order_id": _ORDER_ID, **_BY_CARD},
        },
    ]
}
CAPTURE: Schema = {
    "type": "object",
    "properties": {
        "amount": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "A part of the payment's amount; the rest is released. All of it when absent",
        }
    },
}
