"""The clock that fault rounds make jump, and that production does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway_common.clock import SystemClock, from_iso


@pytest.fixture
def offset_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "offset"
    path.write_text("3600")
    monkeypatch.setenv("GATEWAY_CLOCK_OFFSET_FILE", str(path))
    return path


@pytest.mark.parametrize(("environment", "offset"), [("development", 3600), ("production", 0), ("", 0)])
def test_only_in_development_does_the_clock_jump(
    offset_file: Path, monkeypatch: pytest.MonkeyPatch, environment: str, offset: int
) -> None:
    monkeypatch.setenv("GATEWAY_ENV", environment)
    assert SystemClock().now().timestamp() == pytest.approx(time.time() + offset, abs=5)


def test_a_running_process_sees_the_jump_and_its_end(offset_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ENV", "development")
    clock = SystemClock()
    assert clock.now().timestamp() > time.time() + 3000
    offset_file.unlink()
    time.sleep(0.3)
    assert clock.now().timestamp() == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2030-13-01", "", "now"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_iso(text)
