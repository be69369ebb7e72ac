"""The command `manage.py ach_lint`: what it prints and how it exits."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.payments.ach.bank_files import GOLDEN

RIGHT = GOLDEN / "premiums_out.ach"


def run_lint(*paths: Path) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("ach_lint", *map(str, paths), stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.ach"
    path.write_bytes(RIGHT.read_bytes().replace(b"WEB", b"web"))
    return path


def test_right_files_print_nothing_and_exit_with_0() -> None:
    assert run_lint(RIGHT, GOLDEN / "returns_in.ach") == (0, "", "")


def test_a_wrong_file_prints_its_faults_and_exits_with_1(wrong: Path) -> None:
    words = f"{wrong}:2:51-53 sec code: must be WEB, TEL, PPD or COR, in capitals\n"
    assert run_lint(wrong) == (1, words, "")
    assert run_lint(RIGHT, wrong, RIGHT) == (1, words, "")


def test_an_unreadable_file_exits_with_2_and_the_others_are_still_read(wrong: Path, tmp_path: Path) -> None:
    code, out, err = run_lint(tmp_path / "missing.ach", wrong)
    assert code == 2
    assert "wrong.ach:2:51-53" in out
    assert "missing.ach: No such file or directory" in err
