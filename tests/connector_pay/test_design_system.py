"""The copy of the design system: only what its style sheet names, made once."""

from pathlib import Path

import pytest

from connector_pay import design_system

SHEET = """@font-face{src:url(../fonts/sans.woff2)} .a{background:url('../img/a.svg#x')}
/*# sourceMappingURL=uswds.min.css.map */"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    for name in ("fonts/sans.woff2", "fonts/unused.woff2", "img/a.svg", "css/uswds.min.css.map"):
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_text(name)
    (dist / "css" / "uswds.min.css").write_text(SHEET)
    return dist


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_only_named_files_are_copied_and_the_second_time_none(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert design_system.copy_design_system(installed=installed, copy=copy) == 4
    assert list_files(copy) == ["css/uswds.min.css", "css/uswds.min.css.map", "fonts/sans.woff2", "img/a.svg"]
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
