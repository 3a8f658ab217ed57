from __future__ import annotations

import json

import pytest

from gateway_local import commands
from gateway_local.__main__ import main
from gateway_local.commands.scale import _parse
from gateway_local.problems import Problem


def test_every_command_explains_itself() -> None:
    for name, module in commands.modules().items():
        assert module.__doc__, name
        assert module.__doc__.strip().splitlines()[0].endswith("."), name


def test_a_mistyped_command_is_met_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["satus"]) == 2
    assert "did you mean ./gateway status?" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["nothing=2", "processor", "processor=0", "processor=x", "dashboard=2"])
def test_what_cannot_be_scaled_is_told(text: str) -> None:
    with pytest.raises(Problem):
        _parse(text)


def test_status_of_nothing_is_json_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("GATEWAY_RUN_DIR", str(tmp_path))
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False
