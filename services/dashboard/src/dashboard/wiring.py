"""What the pages are given: one object, made once in `bootstrap.py`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from dashboard.accounts.form_tokens import FormTokens
from dashboard.accounts.signing_in import Accounts
from dashboard.gateway.merchants import Merchants
from dashboard.gateway.payments import Payments, Refunds
from dashboard.gateway.webhooks import Webhooks
from dashboard.gateway.workers import Workers
from dashboard.inspector.repository import Inspections
from dashboard.inspector.secrets_in_use import SecretsInUse
from dashboard.live.hub import Hub
from dashboard.pages.counting import PerMinute
from dashboard.settings import Settings
from gateway_common.clock import Clock
from gateway_common.database import Database


@dataclass(frozen=True)
class Wiring:
    settings: Settings
    clock: Clock
    database: Database
    accounts: Accounts
    form_tokens: FormTokens
    merchants: Merchants
    payments: Payments
    refunds: Refunds
    webhooks: Webhooks
    workers: Workers
    inspections: Inspections
    secrets_in_use: SecretsInUse
    hub: Hub
    visitor_orders: PerMinute = field(default_factory=PerMinute)
    # Two clicks on Buy Now must not connect the inspector twice.
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)


def _wiring_of(request: Request) -> Wiring:
    wiring: Wiring = request.app.state.wiring
    return wiring


Wired = Annotated[Wiring, Depends(_wiring_of)]
