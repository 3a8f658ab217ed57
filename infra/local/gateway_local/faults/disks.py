"""A server's data folder on a small disk of its own, which can be made full at will. Needs root (mount)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gateway_local.problems import Problem
from gateway_local.stack import Stack

SIZE_BYTES = 6 * 1024**3
"""Room for the data of many rounds; memory is taken only for what is really written."""


def may_mount() -> bool:
    return os.geteuid() == 0 and shutil.which("mount") is not None


class SmallDisk:
    """A tmpfs over the data folder. It is full when it is made as small as what it holds."""

    def __init__(self, stack: Stack, server: str) -> None:
        self._stack = stack
        self._server = server
        self._folder = Path(stack.status()["servers"][server]["data_dir"])

    def move_in(self) -> None:
        """Stops the server, moves its data to the small disk, starts it again."""
        before = self._folder.stat()
        aside = self._folder.with_name(self._folder.name + ".moving")
        self._stack.hold(self._server)
        self._folder.rename(aside)
        self._folder.mkdir()
        options = f"size={SIZE_BYTES},mode={before.st_mode & 0o777:o},uid={before.st_uid},gid={before.st_gid}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self._folder], check=True)
        subprocess.run(["cp", "-a", f"{aside}/.", self._folder], check=True)
        shutil.rmtree(aside)
        self._stack.release(self._server)

    def fill(self, room_bytes: int = 0) -> None:
        """No byte more than `room_bytes` can be written. The server writes on meanwhile, so the size may be too small by then already."""
        for _ in range(100):
            if self._resize(shutil.disk_usage(self._folder).used + room_bytes):
                return
        raise Problem(f"The disk of {self._server} could not be made full.")

    def free(self) -> None:
        self._resize(SIZE_BYTES)

    def move_out(self) -> None:
        """The data go back to where they were."""
        aside = self._folder.with_name(self._folder.name + ".moving")
        self._stack.hold(self._server)
        subprocess.run(["cp", "-a", self._folder, aside], check=True)
        subprocess.run(["umount", self._folder], check=True)
        self._folder.rmdir()
        aside.rename(self._folder)
        self._stack.release(self._server)

    def _resize(self, size: int) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self._folder)]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def unmount_below(folder: Path) -> None:
    """What is left mounted there by a run that ended early; the data on it are gone."""
    for line in Path("/proc/mounts").read_text().splitlines():
        if (mounted := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", mounted], check=False)
