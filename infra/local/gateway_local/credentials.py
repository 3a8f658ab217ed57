"""Passwords and keys of one copy: made once, kept in the run folder, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

DATABASE_ROLES = ("payments", "processor", "bank", "refunds", "webhooks", "dashboard")
BROKER_USERS = ("payments", "processor", "refunds", "webhooks", "dashboard")


@dataclass(frozen=True)
class Credentials:
    database: dict[str, str]
    """Role -> password; `postgres` is the superuser."""
    broker: dict[str, str]
    """User -> password; `operator` may see and configure everything."""
    redis: str
    internal_token_secret: str
    card_data_keys: str
    """`k1:<base64 of 32 bytes>`, the form of CARD_DATA_KEYS."""
    erlang_cookie: str


def load_or_create(path: Path) -> Credentials:
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(
        database={role: secrets.token_urlsafe(24) for role in ("postgres", *DATABASE_ROLES)},
        broker={user: secrets.token_urlsafe(24) for user in ("operator", *BROKER_USERS)},
        redis=secrets.token_urlsafe(24),
        internal_token_secret=secrets.token_urlsafe(48),
        card_data_keys="k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        erlang_cookie=secrets.token_hex(20),
    )
    write_private(path, json.dumps(asdict(made), indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
