"""The invariants of every service are valid questions to its own schema, and hold on an empty one."""

from __future__ import annotations

import importlib

import asyncpg
import pytest

from gateway_common.clock import SystemClock
from gateway_common.invariants import Invariant
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox

ROLES = {"payments_api": "payments", "processor": "processor", "refunds": "refunds", "webhooks": "webhooks"}


def invariants() -> list[tuple[str, Invariant]]:
    return [
        (package, invariant)
        for package in ROLES
        for invariant in importlib.import_module(f"{package}.invariants").INVARIANTS
    ]


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox(*ROLES, broker=False)


@pytest.mark.parametrize(("package", "invariant"), invariants(), ids=lambda part: getattr(part, "name", part))
async def test_an_invariant_can_be_asked(sandbox: Sandbox, package: str, invariant: Invariant) -> None:
    connection = await asyncpg.connect(sandbox.database_url(ROLES[package]))
    try:
        arguments = [] if invariant.older_than is None else [SystemClock().now() - invariant.older_than]
        assert await connection.fetch(invariant.sql, *arguments) == []
    finally:
        await connection.close()
