"""The README's map of modules, drawn from their docstrings: `python -m tests.readme_map` writes it into
README.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- map: python -m tests.readme_map -->", "<!-- end of map -->"
APPS = ("payments", "billing", "members", "connector_pay")
UNMAPPED = ("migrations", "apps.py", "__init__.py")


class UnableToDraw(Exception):
    """A module does not say what it is, or the README has no place for the map."""


def list_modules(app: str) -> Iterator[Path]:
    """The modules of one app, folder by folder, what stands in the app itself first."""
    found = [path for path in (ROOT / app).rglob("*.py") if not set(path.parts) & set(UNMAPPED)]
    return iter(sorted(found, key=lambda path: (path.parent.relative_to(ROOT).parts, path.name)))


def read_first_sentence(path: Path) -> str:
    """What a module says it is. Raises UnableToDraw."""
    words = ast.get_docstring(ast.parse(path.read_text()))
    if not words:
        raise UnableToDraw(f"{path.relative_to(ROOT)} has no docstring.")
    paragraph = " ".join(words.split("\n\n")[0].split())
    return re.split(r"(?<!U\.S)\. ", paragraph, maxsplit=1)[0].removesuffix(".")


def draw_map() -> str:
    """A table for each app: the module, and the first sentence of its docstring."""
    parts = []
    for app in APPS:
        rows = [
            f"| `{path.relative_to(ROOT / app)}` | {read_first_sentence(path)} |"
            for path in list_modules(app)
        ]
        head = read_first_sentence(ROOT / app / "__init__.py")
        parts.append("\n".join([f"#### `{app}/` {head}", "", "| Module | |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def put_into_readme(text: str) -> str:
    """The README with the map as it is now. Raises UnableToDraw."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UnableToDraw(f"README.md has no {BEGIN} or no {END}.")
    return f"{before}{BEGIN}\n\n{draw_map()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(put_into_readme(README.read_text()))
