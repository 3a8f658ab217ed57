"""What a delivery needs to know of its endpoint at the moment of the attempt: URL, secrets, schedule, breaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway_common.database import Database
from webhooks.domain.breaker import Breaker
from webhooks.repositories.health import breaker_of
from webhooks.sealing import SecretSealer

_TARGETS = """
SELECT e.id, e.url, e.is_enabled, e.deleted_at, e.schedule,
       (SELECT array_agg(s.sealed ORDER BY s.number DESC) FROM endpoint_secrets s
        WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > $2)) AS sealed,
       h.state, h.consecutive_failures, h.failing_since, h.is_missing, h.missing_since, h.next_probe_at,
       h.probe_failures, h.stumbles
FROM endpoints e LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
WHERE e.id = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Target:
    """`reason_to_stop` says why nothing may be sent; `secrets` holds the current one first."""

    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    schedule: str
    breaker: Breaker
    reason_to_stop: str | None


async def load_targets(
    database: Database, sealer: SecretSealer, endpoint_ids: Sequence[str], now: datetime
) -> dict[str, Target]:
    """Read after the claim, so that a change of URL, secret or state made before it is seen."""
    found = {}
    for row in await database.fetch(_TARGETS, sorted(set(endpoint_ids)), now):
        reason = None
        if row["deleted_at"] is not None:
            reason = "endpoint_deleted"
        elif row["url"] is None:
            reason = "no_url"
        elif not row["is_enabled"]:
            reason = "endpoint_disabled"
        found[row["id"]] = Target(
            row["id"],
            row["url"] or "",
            tuple(sealer.open(sealed, row["id"]) for sealed in row["sealed"] or ()),
            row["schedule"],
            breaker_of(row),
            reason,
        )
    return found
