"""The private nginx: the same template as in the container, rendered with this copy's ports."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_local import probes
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem
from gateway_local.processes import ProcessSpec


@dataclass(frozen=True)
class Edge:
    layout: Layout
    port: int

    @property
    def folder(self) -> Path:
        return self.layout.run / "edge"

    def render(self, upstreams: Mapping[str, Sequence[int]]) -> None:
        """Writes the configuration; `upstreams` maps a template variable to the ports of its copies."""
        (self.folder / "temp").mkdir(parents=True, exist_ok=True)
        values = {
            name: " ".join(f"server {LOOPBACK}:{port} max_fails=0;" for port in ports)
            for name, ports in upstreams.items()
        }
        values |= {"EDGE_LISTEN": f"{LOOPBACK}:{self.port}", "EDGE_FOLDER": str(self.folder)}
        source = self.layout.root / "infra/edge"
        for template, target in (("native.conf.template", "nginx.conf"), ("gateway.conf.template", "gateway.conf")):
            text = (source / template).read_text()
            (self.folder / target).write_text(substitute(text, values))

    def spec(self) -> ProcessSpec:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if program is None:
            raise Problem("nginx is not installed.")
        return ProcessSpec(
            name="edge",
            role="edge",
            kind="server",
            argv=(program, "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")),
            environ={"PATH": os.environ.get("PATH", "")},
            port=self.port,
            probe=probes.edge(self.port),
            cwd=self.folder,
            stop_signal=signal.SIGQUIT,  # lets requests that are under way finish
            stop_timeout_s=3.0,
            stop_rank=0,
        )


def substitute(text: str, values: Mapping[str, str]) -> str:
    """What envsubst does in the nginx image: replaces `${NAME}` for the names given, leaves nginx's own variables."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda found: values.get(found[1], found[0]), text)
