"""A service's own file must hold all that its code imports: in development everything is installed, in its image only that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())

# Runs in a fresh interpreter: hides every installed package that the file does not name, then imports the service.
PROGRAM = """
import importlib, importlib.metadata, pkgutil, re, sys

def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()

named = {canonical(re.split(r"[=;\\s]", line)[0]) for line in open(sys.argv[1]) if re.match(r"[A-Za-z0-9]", line)}
hidden = {
    module
    for module, distributions in importlib.metadata.packages_distributions().items()
    if not named & {canonical(distribution) for distribution in distributions}
}

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r} in {sys.argv[1]}", name=name)

sys.meta_path.insert(0, Hide())
package = importlib.import_module(sys.argv[2])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_names_what_it_imports(service: str) -> None:
    requirements = ROOT / f"requirements/{service}.txt"
    source = ROOT / "services" / service / "src"
    package = next(path.name for path in source.iterdir() if (path / "__init__.py").exists())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, requirements, package],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'libs/common/src'}:{source}"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", [*SERVICES, "dev"])
def test_requirements_name_versions_and_hashes_and_no_place(service: str) -> None:
    text = (ROOT / f"requirements/{service}.txt").read_text()
    assert "://" not in text
    assert "--index-url" not in text
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
