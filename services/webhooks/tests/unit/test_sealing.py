"""Secrets at rest."""

from __future__ import annotations

import base64

import pytest

from webhooks.sealing import SecretSealer

TOKEN_SECRET = "t" * 32
KEY_1, KEY_2 = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_what_is_sealed_is_opened_for_the_same_endpoint_only() -> None:
    sealer = SecretSealer.from_settings(None, TOKEN_SECRET)
    sealed = sealer.seal("whsec_x", "we_a")
    assert "whsec_x" not in sealed
    assert sealer.open(sealed, "we_a") == "whsec_x"
    with pytest.raises(ValueError, match="cannot be read"):
        sealer.open(sealed, "we_b")


def test_an_old_key_still_opens_after_a_new_one_came() -> None:
    sealed = SecretSealer.from_settings(f"k1:{KEY_1}", TOKEN_SECRET).seal("whsec_x", "we_a")
    rotated = SecretSealer.from_settings(f"k2:{KEY_2},k1:{KEY_1}", TOKEN_SECRET)
    assert rotated.open(sealed, "we_a") == "whsec_x"
    assert rotated.seal("whsec_x", "we_a").startswith("k2:")
    with pytest.raises(ValueError, match="k1"):
        SecretSealer.from_settings(f"k2:{KEY_2}", TOKEN_SECRET).open(sealed, "we_a")


@pytest.mark.parametrize("keys", ["", "k1", "k1:short", f":{KEY_1}", "k1:!!!", f"k1:{KEY_1},"])
def test_wrong_keys_stop_the_start(keys: str) -> None:
    with pytest.raises(ValueError, match="WEBHOOK_SECRET_KEYS"):
        SecretSealer.from_settings(keys, TOKEN_SECRET)
