"""QR codes as drawings: one path of squares, small enough to stand in a document of hundreds of bills."""

from itertools import groupby

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

# Readers take any of the eight patterns; trying all of them for the prettiest would take longer than the whole bill.
PATTERN = 3


def draw_qr(text: str) -> str:
    """The code as SVG, one unit a square, without the quiet border: whoever places it leaves 4 squares of white around."""
    rows = make_squares(text)
    path = "".join(
        f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(rows) for x, width in _list_runs(row)
    )
    size = len(rows)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'


def make_squares(text: str) -> list[list[bool]]:
    """The code's rows of squares, True for black."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=PATTERN)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return [[bool(square) for square in row] for row in code.get_matrix()]


def _list_runs(row: list[bool]) -> list[tuple[int, int]]:
    """Where black begins in a row, and for how many squares."""
    runs, x = [], 0
    for black, squares in groupby(row):
        width = len(list(squares))
        if black:
            runs.append((x, width))
        x += width
    return runs
