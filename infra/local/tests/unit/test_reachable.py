from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_local.credentials import load_or_create
from gateway_local.layout import CHECKOUT, Layout
from gateway_local.problems import Problem
from gateway_local.servers.postgres import FALLBACK, Postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, whose parents are closed to other users
        yield Path(name)


def test_data_move_away_from_a_folder_that_the_servers_user_may_not_enter(folder: Path) -> None:
    layout = Layout(CHECKOUT, folder / "run")
    server = Postgres(layout, 1, load_or_create(folder / "credentials.json"))
    folder.chmod(0o755)
    assert server.data == layout.run / "postgres"
    folder.chmod(0o700)
    expected = FALLBACK / layout.key / "postgres" if os.geteuid() == 0 else layout.run / "postgres"
    assert server.data == expected


def test_credentials_are_made_once_and_are_their_owners_alone(folder: Path) -> None:
    path = folder / "credentials.json"
    first = load_or_create(path)
    assert load_or_create(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    passwords = [*first.database.values(), *first.broker.values(), first.redis]
    assert len(set(passwords)) == len(passwords)


def test_a_run_folder_with_a_space_is_refused(folder: Path) -> None:
    with pytest.raises(Problem, match="GATEWAY_RUN_DIR"):
        Layout(CHECKOUT, folder / "my files").create()
