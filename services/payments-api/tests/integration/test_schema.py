"""The migrated schema is the one that the code describes, and commands can be repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from payments_api import tables


async def test_columns_agree(gateway: Any) -> None:
    rows = await gateway.database.fetch(
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'payments'"
    )
    found: dict[str, dict[str, bool]] = {}
    for row in rows:
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["is_nullable"] == "YES"
    for table in tables.metadata.sorted_tables:
        described = {column.name: bool(column.nullable) for column in table.columns}
        assert found[table.name] == described, table.name


def test_commands_can_be_repeated(sandbox: Any) -> None:
    environment = sandbox.environment("payments-api-web", PORT="8001")
    environment = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-m", "payments_api", "migrate"], check=True, env=environment)
    create = ["merchant", "create", "--name", "A", "--email", "cli@example.com", "--json"]
    first = subprocess.run(
        [sys.executable, "-m", "payments_api", *create], check=True, env=environment, capture_output=True, text=True
    )
    assert '"api_secret"' in first.stdout
    again = subprocess.run([sys.executable, "-m", "payments_api", *create], check=False, env=environment)
    assert again.returncode == 1
