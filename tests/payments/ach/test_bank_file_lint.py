"""`manage.py ach_lint`: any bank file, held against the format."""

from pathlib import Path

import pytest

from payments.ach.lint import UnableToReadFile, lint_path, write_fault
from tests.payments.ach.bank_files import GOLDEN


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
def test_a_right_file_has_no_fault(tmp_path: Path, line_end: bytes) -> None:
    path = tmp_path / "right.ach"
    path.write_bytes((GOLDEN / "premiums_out.ach").read_bytes().replace(b"\n", line_end))
    assert lint_path(path=path) == []


def test_a_fault_is_printed_as_a_compiler_prints_it(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ach"
    path.write_bytes((GOLDEN / "premiums_out.ach").read_bytes().replace(b"WEB", b"web"))
    faults = lint_path(path=path)
    assert [write_fault(path=Path("wrong.ach"), fault=fault) for fault in faults] == [
        "wrong.ach:2:51-53 sec code: must be WEB, TEL, PPD or COR, in capitals"
    ]


def test_a_file_in_another_encoding_is_invalid_at_the_right_column(tmp_path: Path) -> None:
    path = tmp_path / "accents.ach"
    path.write_bytes((GOLDEN / "premiums_out.ach").read_bytes().replace(b"JOSE N", "JOSÉ ".encode(), 1))
    assert [(fault.line, fault.first, fault.last) for fault in lint_path(path=path)] == [(3, 55, 76)]


@pytest.mark.parametrize("data", [b"", b"\n", b"\x00\xff" * 500, b"%PDF-1.7\n\x80\x81\n"])
def test_nonsense_is_invalid_not_unreadable(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "nonsense"
    path.write_bytes(data)
    assert lint_path(path=path)


def test_a_missing_file_and_a_folder_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.ach", tmp_path):
        with pytest.raises(UnableToReadFile, match=path.name):
            lint_path(path=path)


def test_a_file_longer_than_one_read_is_cut_into_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.ach.lint.CHUNK_BYTES", 131)
    for line_end in (b"\n", b"\r\n", b""):
        path = tmp_path / "long.ach"
        path.write_bytes((GOLDEN / "returns_in.ach").read_bytes().replace(b"\n", line_end))
        assert lint_path(path=path) == []
