"""Boot definitions for RabbitMQ: users, permissions, exchanges, queues and bindings, generated from the topology.

    python -m gateway_common.broker.definitions

prints them as JSON. Passwords come from `RABBITMQ_<USER>_PASSWORD`; only their salted hash is printed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from typing import Any

from gateway_common.broker.topology import ALL_QUEUES, Exchange

VIRTUAL_HOST = "/"
OPERATOR = "operator"

# user -> (configure, write, read). Writing is to exchanges, reading is from queues; binding needs both ends.
# The dashboard's live feed binds exclusive queues of its own, so it may configure those and read the exchanges.
_SERVICE_USERS = {exchange.value: ("^$", rf"^{exchange.value}$", rf"^{exchange.value}\..*$") for exchange in Exchange}
_DASHBOARD = {"dashboard": (r"^dashboard\..*$", r"^dashboard\..*$", r"^(payments|refunds|webhooks|dashboard\..*)$")}
PERMISSIONS = {**_SERVICE_USERS, **_DASHBOARD}


def hash_password(password: str, salt: bytes) -> str:
    """RabbitMQ's `rabbit_password_hashing_sha256`: base64(salt + SHA-256(salt + password)); `salt` has 4 bytes."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _salt(user: str, password: str) -> bytes:
    # Derived, not random: the same passwords give the same file, so that a check can compare it.
    return hashlib.sha256(f"{user}:{password}".encode()).digest()[:4]


def build(passwords: dict[str, str]) -> dict[str, Any]:
    """The definitions document. `passwords` maps every user of `PERMISSIONS`, and `operator`, to its password."""
    users = [
        {
            "name": user,
            "password_hash": hash_password(password, _salt(user, password)),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": ["administrator"] if user == OPERATOR else [],
            "limits": {},
        }
        for user, password in passwords.items()
    ]
    permissions = [
        {"user": user, "vhost": VIRTUAL_HOST, "configure": configure, "write": write, "read": read}
        for user, (configure, write, read) in PERMISSIONS.items()
    ]
    permissions.append({"user": OPERATOR, "vhost": VIRTUAL_HOST, "configure": ".*", "write": ".*", "read": ".*"})
    return {
        "users": users,
        "vhosts": [{"name": VIRTUAL_HOST}],
        "permissions": permissions,
        "exchanges": [
            {
                "name": exchange.value,
                "vhost": VIRTUAL_HOST,
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
            for exchange in Exchange
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": VIRTUAL_HOST,
                "durable": True,
                "auto_delete": False,
                "arguments": queue.arguments,
            }
            for queue in ALL_QUEUES
        ],
        "bindings": [
            {
                "source": binding.exchange.value,
                "vhost": VIRTUAL_HOST,
                "destination": queue.name,
                "destination_type": "queue",
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for queue in ALL_QUEUES
            for binding in queue.bindings
        ],
    }


def _password(user: str) -> str:
    variable = f"RABBITMQ_{user.upper()}_PASSWORD"
    if not (value := os.environ.get(variable)):
        raise SystemExit(f"set {variable}: every RabbitMQ user needs a password")
    return value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(build({user: _password(user) for user in (*PERMISSIONS, OPERATOR)}), indent=2))
