"""Server programs from the distribution: which are missing, and how to get them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping

from gateway_local.layout import CHECKOUT
from gateway_local.problems import Problem
from gateway_local.servers import postgres, rabbitmq

SBIN = "/usr/sbin:/sbin:" + os.defpath


def _has(*programs: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) or shutil.which(name, path=SBIN) for name in programs)


# Debian and Ubuntu package -> whether what it brings is there already, from wherever.
SERVERS: Mapping[str, Callable[[], bool]] = {
    "postgresql": lambda: postgres.binaries() is not None,
    "redis-server": _has("redis-server"),
    "rabbitmq-server": lambda: rabbitmq.PROGRAM.exists() and _has("epmd")(),
    "nginx": _has("nginx"),
}
BROWSER: Mapping[str, Callable[[], bool]] = {
    "chromium": _has("chromium", "chromium-browser"),
    "fonts-dejavu-core": lambda: any(_fonts()),
}


def _fonts() -> Iterable[str]:
    return (name for _, _, names in os.walk("/usr/share/fonts") for name in names if name.startswith("DejaVu"))


def ensure(wanted: Mapping[str, Callable[[], bool]]) -> None:
    """Installs what is missing; raises Problem with the command to run where that is not possible."""
    missing = [package for package, is_there in wanted.items() if not is_there()]
    if not missing:
        return
    install = [str(CHECKOUT / "infra/local/install-packages"), *missing]
    by_hand = "apt-get install " + " ".join(missing)
    if shutil.which("apt-get") is None:
        raise Problem(f"Missing: {', '.join(missing)}. On Debian or Ubuntu: {by_hand}. Here: your package manager.")
    if os.geteuid() != 0:
        install.insert(0, _sudo(by_hand))
    print(f"Installing {', '.join(missing)} (their own services are kept from starting) …", flush=True)
    done = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    still = [package for package in missing if not wanted[package]()]
    if done.returncode or still:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise Problem(f"{', '.join(still or missing)} could not be installed:\n{tail}\nTry it by hand: {by_hand}")


def _sudo(by_hand: str) -> str:
    sudo = shutil.which("sudo")
    if sudo is None:
        raise Problem(f"Packages are missing and there is no sudo. Run as root: {by_hand}")
    if not sys.stdin.isatty() and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        raise Problem(f"Packages are missing and sudo would ask for a password. Run: sudo {by_hand}")
    return sudo
