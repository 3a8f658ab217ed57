"""Our own parsers take anything: an accepted value obeys its rule, everything else is refused in their own words."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_common import context
from gateway_common.auth.credentials import read_basic
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.broker.delivery import MalformedMessageError
from gateway_common.clock import SystemClock, from_iso, to_iso
from gateway_common.errors import AuthenticationError, ExpiredCardError, InvalidCardError, InvalidVpaError
from gateway_common.events import PaymentEvent, parse
from gateway_common.ids import has_shape
from payments_api.domain.cards import accept_card
from payments_api.schemas import check_vpa, is_order_reference
from webhooks.domain.addresses import read_address, refusal
from webhooks.domain.targets import TargetPolicy, TargetRefusedError

TODAY = date(2030, 6, 15)
texts = st.text(max_size=300)
almost_vpas = st.from_regex(r"[a-zA-Z0-9._-]{0,20}@?[a-zA-Z0-9]{0,10}.?", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
cards = st.fixed_dictionaries(
    {},
    optional={
        name: values | st.from_regex(r"[0-9]{0,19}", fullmatch=True)
        for name in ("number", "expiry_month", "expiry_year", "cvv", "holder_name")
    },
)
hosts = st.one_of(
    st.ip_addresses().map(str),
    st.integers(0, 2**32 - 1).map(str),
    st.integers(0, 2**32 - 1).map(hex),
    st.integers(0, 2**32 - 1).map(oct),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.from_regex(r"(0x)?[0-9a-f]{1,4}(\.(0x)?[0-9a-f]{1,4}){0,4}", fullmatch=True),
    texts,
)
SECRET = InternalTokens("s" * 40, "refunds", SystemClock())


@given(texts)
def test_ids(text: str) -> None:
    if has_shape(text, "pay_"):
        assert re.fullmatch(r"pay_[A-Za-z0-9]{16}", text)


@given(texts | almost_vpas | values)
def test_vpas(value: object) -> None:
    try:
        accepted = check_vpa(value)
    except InvalidVpaError:
        return
    assert re.fullmatch(r"[a-zA-Z0-9._-]+@[a-zA-Z0-9]+", accepted)
    assert len(accepted) <= 255


@given(cards | values)
def test_cards(given_card: object) -> None:
    try:
        accepted = accept_card(given_card, TODAY)
    except (InvalidCardError, ExpiredCardError):
        return
    assert re.fullmatch(r"[0-9]{13,19}", accepted.card.number)
    assert (accepted.card.expiry_year, accepted.card.expiry_month) >= (TODAY.year, TODAY.month)


@given(texts)
def test_order_references(text: str) -> None:
    if is_order_reference(text):
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text)


@given(texts)
def test_request_ids_and_traces(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", context.accept_request_id(text))
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", context.accept_traceparent(text))


@given(texts)
def test_authorization_headers(text: str) -> None:
    for header in (text, f"Bearer {text}", f"Bearer {SECRET.sign('refunds')}{text or 'x'}"):
        with pytest.raises(AuthenticationError):
            SECRET.verify(header)
    read_basic(f"Basic {text}")  # whatever it is, it must not raise


@given(texts)
def test_times(text: str) -> None:
    try:
        moment = from_iso(text)
    except ValueError:
        return
    assert to_iso(moment).endswith("Z")


@given(hosts, st.sampled_from(["http", "https", "ftp", "file", ""]), texts)
def test_webhook_targets_never_lead_inside(host: str, scheme: str, rest: str) -> None:
    try:
        url = TargetPolicy(allow_private=False).check_url(f"{scheme}://{host}/{rest}")
    except TargetRefusedError:
        return
    assert url.scheme in ("http", "https")
    address = read_address(url.host or "")
    if address is not None:
        assert address.is_global
        assert refusal(address, allow_private=False) is None


@given(st.ip_addresses())
def test_no_address_that_is_not_global_is_called_in_production(address: object) -> None:
    read = ip_address(str(address))
    if not read.is_global:
        assert refusal(read, allow_private=False) is not None


class _Delivery:
    def __init__(self, body: bytes) -> None:
        self.body = body


@given(st.binary(max_size=300))
def test_message_bodies(body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        parse(PaymentEvent, _Delivery(body))  # type: ignore[arg-type]
