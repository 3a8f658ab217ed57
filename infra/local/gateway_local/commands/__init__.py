"""One module per command: its docstring's first line is the help text, `configure` adds arguments, `run` works.

A new command is a new file here; an underscore in its name becomes a dash.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from types import ModuleType


def modules() -> dict[str, ModuleType]:
    """Command name -> module, in alphabetical order."""
    return {
        found.name.replace("_", "-"): importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./gateway",
        description="An open, self-hosted payment gateway: start it, watch it, test it.",
        epilog="./gateway COMMAND --help tells more. GATEWAY_RUN_DIR and GATEWAY_PORT_OFFSET move a copy aside.",
    )
    table = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in modules().items():
        text = (module.__doc__ or "").strip().splitlines()[0]
        sub = table.add_parser(name, help=text, description=module.__doc__)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser
