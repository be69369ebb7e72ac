"""Small checkouts for the tests of the embedded servers: only the code that starts them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[2] / "connector_pay" / "local"


@dataclass
class Checkout:
    """A folder with a copy of `connector_pay.local`, and how to run a script there."""

    folder: Path
    python: str = sys.executable
    before: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / ".data"

    def start(self, script: str, **environment: str) -> subprocess.Popen[str]:
        """Start a script that talks with us over its standard input and output."""
        return subprocess.Popen(
            [*self.before, self.python, "-c", script],
            cwd=self.folder,
            env={"PATH": os.defpath, "PYTHONPATH": str(self.folder)} | self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: str, **environment: str) -> str:
        """Run a script to its end and return what it printed; the test fails when the script does."""
        with self.start(script, **environment) as process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said.strip()


def make_checkout(folder: Path) -> Checkout:
    """Make a small checkout in a folder."""
    package = folder / "connector_pay"
    shutil.copytree(LOCAL, package / "local", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    return Checkout(folder)
