"""The copy of the design system: only what its style sheet names, made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from connector_pay import design_system
from connector_pay.checks.pages import check_design_system
from tests.local.production_environment import ROOT, fill_in

SHEET = """@font-face{src:url(../fonts/sans.woff2)} .a{background:url('../img/a.svg#x')}
/*# sourceMappingURL=uswds.min.css.map */"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    ours = map(str, design_system.DOCUMENT_FONT_FILES)
    for name in ("fonts/sans.woff2", "fonts/unused.woff2", "img/a.svg", "css/uswds.min.css.map", *ours):
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_text(name)
    (dist / "css" / "uswds.min.css").write_text(SHEET)
    return dist


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_only_named_files_are_copied_and_the_second_time_none(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert design_system.copy_design_system(installed=installed, copy=copy) == 6
    named = ["css/uswds.min.css", "css/uswds.min.css.map", "fonts/sans.woff2", "img/a.svg"]
    assert list_files(copy) == sorted([*named, *map(str, design_system.DOCUMENT_FONT_FILES)])
    assert design_system.copy_design_system(installed=installed, copy=copy) == 0


def test_a_changed_file_is_copied_again_and_a_forgotten_one_removed(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    design_system.copy_design_system(installed=installed, copy=copy)
    (installed / "img" / "a.svg").write_text("another drawing")
    (copy / "img" / "old.svg").write_text("no longer named")
    assert design_system.copy_design_system(installed=installed, copy=copy) == 1
    assert (copy / "img" / "a.svg").read_text() == "another drawing"
    assert "img/old.svg" not in list_files(copy)


def test_a_missing_package_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(design_system.UnableToFindDesignSystem, match="npm ci --ignore-scripts"):
        design_system.copy_design_system(installed=tmp_path, copy=tmp_path / "copy")


def test_a_missing_named_file_is_an_error(installed: Path, tmp_path: Path) -> None:
    (installed / "img" / "a.svg").unlink()
    with pytest.raises(design_system.UnableToFindDesignSystem, match=r"img/a\.svg"):
        design_system.copy_design_system(installed=installed, copy=tmp_path / "copy")


@pytest.mark.parametrize(
    ("command", "options"),
    [("check", {"deploy": True}), ("collectstatic", {"dry_run": True, "skip_checks": False})],
)
def test_a_missing_design_system_is_refused_with_what_to_do(
    command: str, options: dict[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(design_system, "COPY", tmp_path)
    with pytest.raises(SystemCheckError, match=r"(?s)design system is missing: .*npm ci --ignore-scripts"):
        call_command(command, **options)


def test_one_that_is_there_is_no_problem(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design_system.copy_design_system(installed=installed, copy=tmp_path / "copy")
    monkeypatch.setattr(design_system, "COPY", tmp_path / "copy")
    assert check_design_system(None) == []


def test_the_pages_files_are_found_wherever_the_data_is(tmp_path: Path) -> None:
    script = (
        "from django.conf import settings; from connector_pay import design_system; "
        "print(design_system.FOLDER in settings.STATICFILES_DIRS, settings.DATA_DIR)"
    )
    environment = fill_in(DATA_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="connector_pay.settings")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"True {tmp_path}\n", done.stderr
