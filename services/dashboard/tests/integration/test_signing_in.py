"""Sessions, limits and forms, as an attacker would try them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from dashboard.accounts.form_tokens import FormTokens
from dashboard.pages.cookies import Cookies

from .conftest import Running, form_token, sign_in


def _cookie(response: httpx.Response, name: str) -> str:
    return next(one for one in response.headers.get_list("set-cookie") if one.startswith(f"{name}="))


async def test_the_session_cookie_is_closed_to_scripts_and_other_sites(running: Running) -> None:
    response = await sign_in(running.visitor())
    assert response.status_code == 303
    assert response.headers["location"] == "/dashboard"
    cookie = _cookie(response, "dashboard_session").lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


async def test_only_the_hash_of_a_session_is_stored(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    token = client.cookies["dashboard_session"]
    rows = await running.app.state.wiring.database.fetch("SELECT token_hash FROM sessions")
    assert len(rows) == 1
    assert token.encode() not in rows[0]["token_hash"]


async def test_a_planted_session_is_not_the_one_after_sign_in(running: Running) -> None:
    """Fixation: the attacker's own session in the victim's browser ends, and the victim gets a new one."""
    attacker, victim = running.visitor(), running.visitor()
    await sign_in(attacker)
    planted = attacker.cookies["dashboard_session"]
    token = form_token(await victim.get("/login"))
    visit = victim.cookies["dashboard_visitor"]
    cookies = {"Cookie": f"dashboard_session={planted}; dashboard_visitor={visit}"}
    data = {"csrf_token": token, "email": "test@example.com", "password": "test_password_123"}
    answer = await running.visitor(**cookies).post("/login", data=data)
    assert answer.status_code == 303
    assert planted not in _cookie(answer, "dashboard_session")
    assert (await attacker.get("/dashboard/settings")).status_code == 303


async def test_signing_in_again_ends_the_session_before(running: Running) -> None:
    client = running.visitor()
    await client.get("/login")
    visit = client.cookies["dashboard_visitor"]
    token = form_token(await client.get("/login"))
    await sign_in(client)
    before = client.cookies["dashboard_session"]
    client.cookies.set("dashboard_visitor", visit)
    data = {"csrf_token": token, "email": "test@example.com", "password": "test_password_123"}
    assert (await client.post("/login", data=data)).status_code == 303
    assert (await running.visitor(Cookie=f"dashboard_session={before}").get("/dashboard/settings")).status_code == 303
    assert (await client.get("/dashboard/settings")).status_code == 200


async def test_signing_out_ends_it_on_the_server(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    kept = client.cookies["dashboard_session"]
    token = form_token(await client.get("/dashboard/settings"))
    assert (await client.post("/logout", data={"csrf_token": token})).headers["location"] == "/login"
    thief = running.visitor()
    thief.cookies.set("dashboard_session", kept)
    assert (await thief.get("/dashboard/settings")).status_code == 303


async def test_sessions_end_idle_and_absolutely(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    running.clock.advance(minutes=119)
    assert (await client.get("/dashboard/settings")).status_code == 200
    running.clock.advance(minutes=119)
    assert (await client.get("/dashboard/settings")).status_code == 200, "a page that was looked at keeps it alive"
    running.clock.advance(minutes=121)
    assert (await client.get("/dashboard/settings")).status_code == 303
    await sign_in(client)
    for _ in range(7):
        running.clock.advance(minutes=100)
        assert (await client.get("/dashboard/settings")).status_code == 200
    running.clock.advance(minutes=100)
    assert (await client.get("/dashboard/settings")).status_code == 303, "after 12 h it ends, used or not"


async def test_a_window_that_refreshes_itself_is_nobodys_presence(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    for _ in range(3):
        running.clock.advance(minutes=50)
        last = await client.get("/dashboard/settings", headers={"X-Live-Refresh": "1"})
    assert last.status_code == 303


async def test_fifty_wrong_passwords_are_limited_kindly_and_not_for_ever(running: Running) -> None:
    client = running.visitor()
    statuses = [(await sign_in(client, password=f"wrong {number}")).status_code for number in range(50)]
    assert statuses[:10] == [400] * 10
    assert set(statuses[10:]) == {429}
    refused = await sign_in(client)
    assert refused.status_code == 429, "the right password waits as well"
    assert "too many attempts" in refused.text
    assert 0 < int(refused.headers["retry-after"]) <= 31
    elsewhere = running.visitor("198.51.100.7")
    assert (await sign_in(elsewhere)).status_code == 429, "the account waits, whatever the address"
    running.clock.advance(seconds=31)
    assert (await sign_in(elsewhere)).status_code == 303


async def test_fifty_attempts_at_the_same_moment_are_fifty_attempts(running: Running) -> None:
    client = running.visitor()
    token = form_token(await client.get("/login"))
    data = {"csrf_token": token, "email": "test@example.com", "password": "wrong"}
    answers = await asyncio.gather(*(client.post("/login", data=data) for _ in range(50)))
    assert sum(answer.status_code == 400 for answer in answers) <= 10


async def test_many_accounts_from_one_address_are_limited(running: Running) -> None:
    client = running.visitor()
    statuses = [
        (await sign_in(client, email=f"someone{number}@example.com", password="wrong")).status_code
        for number in range(45)
    ]
    assert statuses[-1] == 429
    assert (await sign_in(running.visitor("198.51.100.8"))).status_code == 303


async def test_unknown_accounts_and_wrong_passwords_look_alike(running: Running) -> None:
    client = running.visitor()
    wrong = await sign_in(client, password="wrong")
    unknown = await sign_in(client, email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 400
    assert "do not match" in wrong.text
    assert "do not match" in unknown.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_nobody_is_sent_to_another_site(running: Running, target: str) -> None:
    client = running.visitor()
    page = await client.get("/login", params={"next": target})
    assert "evil.example" not in page.text
    assert (await sign_in(client, next=target)).headers["location"] == "/dashboard"
    again = await client.get("/login", params={"next": target})
    assert again.headers["location"] == "/dashboard"


async def test_one_is_led_back_to_where_one_wanted_to_go(running: Running) -> None:
    client = running.visitor()
    asked = await client.get("/dashboard/transactions?status=failed")
    assert asked.headers["location"] == "/login?next=%2Fdashboard%2Ftransactions%3Fstatus%3Dfailed"
    response = await sign_in(client, next="/dashboard/transactions?status=failed")
    assert response.headers["location"] == "/dashboard/transactions?status=failed"


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        ({}, {}),
        ({"csrf_token": "0" * 64}, {}),
        ({"csrf_token": "own"}, {"Origin": "http://evil.example"}),
        ({"csrf_token": "own"}, {"Origin": "http://dashboard.test:3001"}),
        ({"csrf_token": "own"}, {"Origin": "null"}),
    ],
)
async def test_forms_of_others_are_refused(running: Running, data: dict[str, str], headers: dict[str, str]) -> None:
    client = running.visitor()
    await sign_in(client)
    own = form_token(await client.get("/dashboard/settings"))
    data = {name: own if value == "own" else value for name, value in data.items()}
    assert (await client.post("/logout", data=data, headers=headers)).status_code == 403
    assert (await client.get("/dashboard/settings")).status_code == 200


async def test_every_form_that_changes_something_wants_its_token(running: Running) -> None:
    """All POST routes, so that a new one is not forgotten."""
    client = running.visitor()
    await sign_in(client)
    paths = _posts(running)
    assert len(paths) > 15
    for path in paths:
        answer = await client.post(path, data={"csrf_token": "0" * 64})
        assert answer.status_code == 403, path


async def test_every_page_wants_a_session(running: Running) -> None:
    client = running.visitor()
    for path in _posts(running):
        assert (await client.post(path)).status_code in (303, 403), path
    for path in _gets(running):
        answer = await client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login"), path


async def test_a_token_of_another_session_is_no_good(running: Running) -> None:
    mine, theirs = running.visitor(), running.visitor()
    await sign_in(mine)
    await sign_in(theirs)
    token = form_token(await theirs.get("/dashboard/settings"))
    assert (await mine.post("/logout", data={"csrf_token": token})).status_code == 403


async def test_a_new_password_signs_all_others_out(running: Running) -> None:
    here, there = running.visitor(), running.visitor()
    await sign_in(here)
    await sign_in(there)
    before = here.cookies["dashboard_session"]
    token = form_token(await here.get("/dashboard/settings"))

    async def change(current: str, new: str) -> httpx.Response:
        data = {"csrf_token": token, "current": current, "password": new}
        return await here.post("/dashboard/settings/password", data=data)

    await change("wrong", "a new long password")
    assert "is not right" in (await here.get("/dashboard/settings")).text
    await change("test_password_123", "short")
    assert "at least 10" in (await here.get("/dashboard/settings")).text
    await change("test_password_123", "a new long password")
    assert here.cookies["dashboard_session"] != before
    assert (await here.get("/dashboard/settings")).status_code == 200
    assert (await there.get("/dashboard/settings")).status_code == 303
    assert (await sign_in(running.visitor())).status_code == 400
    assert (await sign_in(running.visitor(), password="a new long password")).status_code == 303


def test_over_https_cookies_are_secure_and_kept_to_the_host() -> None:
    answer = Response()
    Cookies(is_secure=True, tokens=FormTokens("x" * 32)).start_session(answer, "token")
    cookie = answer.headers.getlist("set-cookie")[0]
    assert cookie.startswith("__Host-dashboard_session=token")
    assert "Secure" in cookie


async def test_security_headers_are_on_every_answer(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    for path in ("/dashboard/settings", "/nothing-here", "/login", "/dashboard/transactions/pay_x", "/static/x/app.js"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy, path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
    assert (await client.get("/dashboard/settings")).headers["cache-control"] == "no-store"
    too_large = await client.post("/login", content=b"x" * 70_000)
    assert too_large.status_code == 413
    assert "content-security-policy" in too_large.headers


async def test_a_forged_notice_is_not_shown(running: Running) -> None:
    client = running.visitor()
    await sign_in(client)
    client.cookies.set("dashboard_notice", "WyJnb29kIiwiUGF5IG1lIl0=.0000")
    assert "Pay me" not in (await client.get("/dashboard/settings")).text


_OPEN = {"/login", "/signup", "/inspector/{token}"}


def _fill(path: str) -> str:
    for name in ("delivery_id", "replay_id"):
        path = path.replace(f"{{{name}}}", "550e8400-e29b-41d4-a716-446655440000")
    return path.replace("{payment_id}", "pay_x").replace("{endpoint_id}", "we_x").replace("{key_id}", "k")


def _paths(running: Running, method: str) -> list[str]:
    found = running.app.openapi()["paths"]
    assert not found, "no page is part of the public API's document"
    routes = _routes(running.app.router.routes)
    return [_fill(path) for path, methods in routes if method in methods and path not in _OPEN]


def _routes(routes: list[Any]) -> list[tuple[str, set[str]]]:
    listed: list[tuple[str, set[str]]] = []
    for route in routes:
        if hasattr(route, "methods") and hasattr(route, "path"):
            listed.append((route.path, route.methods or set()))
        elif hasattr(route, "effective_candidates"):
            listed.extend(_routes(list(route.effective_candidates())))
        elif hasattr(route, "routes"):
            listed.extend(_routes(route.routes))
    return listed


def _posts(running: Running) -> list[str]:
    return _paths(running, "POST")


def _gets(running: Running) -> list[str]:
    return [path for path in _paths(running, "GET") if path.startswith("/dashboard")]
