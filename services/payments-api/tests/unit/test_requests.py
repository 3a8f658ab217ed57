"""What requests may carry: strict types, limits, and the exact words of refusals."""

from __future__ import annotations

from typing import Any

import orjson
import pydantic
import pytest

from gateway_common.errors import GatewayError
from gateway_common.web.problems import from_validation
from payments_api.schemas import Capture, Input, NewOrder, NewPayment, check_vpa


def refusal(model: type[Input], body: dict[str, Any]) -> GatewayError:
    with pytest.raises(pydantic.ValidationError) as caught:
        model.model_validate(orjson.loads(orjson.dumps(body)))
    return from_validation(caught.value.errors(include_url=False))


@pytest.mark.parametrize("amount", [None, 99, 0, -1, "100", 100.0, 1e30, True, False, [], {}, "abc"])
def test_amounts_of_orders(amount: object) -> None:
    error = refusal(NewOrder, {"amount": amount})
    assert (error.status, error.code, error.description, error.field) == (
        400,
        "BAD_REQUEST_ERROR",
        "amount must be at least 100",
        "amount",
    )


def test_a_missing_amount() -> None:
    assert refusal(NewOrder, {}).description == "amount must be at least 100"


def test_amounts_over_what_javascript_can_hold() -> None:
    assert NewOrder.model_validate({"amount": 2**53 - 1}).amount == 2**53 - 1
    assert refusal(NewOrder, {"amount": 2**53}).reason == "amount_too_large"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"currency": "inr"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": 1}, "currency"),
        ({"receipt": 5}, "receipt"),
        ({"receipt": "x" * 256}, "receipt"),
        ({"notes": "x"}, "notes"),
        ({"notes": []}, "notes"),
        ({"multiple_payments": 1}, "multiple_payments"),
        ({"multiple_payments": "true"}, "multiple_payments"),
        ({"multiple_payments": None}, "multiple_payments"),
    ],
)
def test_the_field_at_fault_is_named(body: dict[str, Any], field: str) -> None:
    error = refusal(NewOrder, {"amount": 100, **body})
    assert (error.status, error.field) == (400, field)
    assert error.description.startswith(field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"order_id": None}, "order_id"),
        ({"order_id": 7}, "order_id"),
        ({"order_id": ""}, "order_id"),
        ({"method": "cash"}, "method"),
        ({"method": None}, "method"),
        ({"amount": "100"}, "amount"),
        ({"amount": 99}, "amount"),
        ({"currency": "rupee"}, "currency"),
        ({"capture": "later"}, "capture"),
        ({"capture": True}, "capture"),
        ({"notes": 1}, "notes"),
    ],
)
def test_payments(body: dict[str, Any], field: str) -> None:
    error = refusal(NewPayment, {"order_id": "o", "method": "upi", **body})
    assert (error.status, error.field) == (400, field)


def test_null_is_absent_and_unknown_fields_are_ignored() -> None:
    given = NewPayment.model_validate(
        {"order_id": "o", "method": "upi", "amount": None, "currency": None, "capture": None, "colour": "red"}
    )
    assert (given.amount, given.currency, given.capture) == (None, None, "manual")
    assert NewOrder.model_validate({"amount": 100, "currency": None}).currency == "INR"


@pytest.mark.parametrize("vpa", ["user@paytm", "a.b-c_d@x1", "A@B", "a" * 249 + "@b"])
def test_good_vpas(vpa: str) -> None:
    assert check_vpa(vpa) == vpa


@pytest.mark.parametrize(
    "vpa",
    [
        None,
        7,
        "",
        "user",
        "@bank",
        "user@",
        "us er@bank",
        "user@ba-nk",
        "a@b@c",
        "é@bank",
        "user@bank\n",
        "a" * 255 + "@b",
    ],
)
def test_bad_vpas(vpa: object) -> None:
    with pytest.raises(GatewayError, match="VPA format invalid") as caught:
        check_vpa(vpa)
    assert (caught.value.code, caught.value.status) == ("INVALID_VPA", 400)


@pytest.mark.parametrize("amount", [0, -5, "5", 5.0, True])
def test_capture_amounts(amount: object) -> None:
    assert refusal(Capture, {"amount": amount}).field == "amount"
    assert Capture.model_validate({}).amount is None
