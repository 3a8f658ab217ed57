"""Entry point of `./gateway`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

from gateway_local import commands
from gateway_local.problems import Problem


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 1 it did not work, 2 the command was not understood, 130 interrupted."""
    names = commands.modules()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in names:
        near = difflib.get_close_matches(arguments[0], names, n=1)
        hint = f"did you mean ./gateway {near[0]}?" if near else "./gateway --help lists them all."
        print(f"There is no command {arguments[0]!r}; {hint}", file=sys.stderr)
        return 2
    parser = commands.build_parser()
    parsed, unknown = parser.parse_known_args(arguments or ["--help"])
    if unknown and not hasattr(parsed, "rest"):
        parser.error(f"{parsed.command} does not know {' '.join(unknown)}")
    if unknown:
        parsed.rest = unknown
    try:
        code: int = parsed.run(parsed)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
