"""Says what is going on: a spinner at a terminal, one line per step elsewhere (logs, continuous integration)."""

from __future__ import annotations

from typing import Self

from rich.console import Console


class Progress:
    """`with Progress(console) as progress: progress.tell("starting PostgreSQL")`"""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._last = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def tell(self, text: str) -> None:
        if not text or text == self._last:
            return
        self._last = text
        if self._console.is_terminal:
            self._status.update(text)
        else:
            self._console.print(f"{text} …", highlight=False)
