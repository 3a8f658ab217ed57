from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

from dashboard.domain.signatures import HEX_HEADER, STANDARD_HEADER, verified_by

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = '{"event":"webhook.test","note":"₹"}'.encode()


def _headers(secret: str = SECRET) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        HEX_HEADER: hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest(),
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        STANDARD_HEADER: Webhook(secret).sign("evt_1", now, BODY.decode()),
    }


def test_both_signatures_of_the_standard_library_hold() -> None:
    assert verified_by([SECRET], _headers(), BODY) == [HEX_HEADER, STANDARD_HEADER]


def test_another_body_or_secret_does_not_verify() -> None:
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    assert verified_by([SECRET], _headers(), BODY + b" ") == []
    assert verified_by([other], _headers(), BODY) == []
    assert verified_by([], _headers(), BODY) == []


def test_one_of_two_signatures_after_a_rotation_is_enough() -> None:
    headers = _headers()
    headers[STANDARD_HEADER] = "v1,AAAA " + headers[STANDARD_HEADER]
    assert STANDARD_HEADER in verified_by(["whsec_b3RoZXI=", SECRET], headers, BODY)


def test_the_sample_secret_is_its_own_key() -> None:
    headers = {
        HEX_HEADER: hmac.new(b"whsec_test_abc123", BODY, hashlib.sha256).hexdigest(),
        STANDARD_HEADER: "v1,"
        + base64.b64encode(hmac.new(b"whsec_test_abc123", b".." + BODY, hashlib.sha256).digest()).decode(),
    }
    assert len(verified_by(["whsec_test_abc123"], headers, BODY)) == 2


def test_junk_in_headers_is_no_error() -> None:
    assert verified_by([SECRET], {HEX_HEADER: "é", STANDARD_HEADER: "ü v1, ,"}, BODY) == []
