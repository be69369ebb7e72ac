"""After a test of payments that used the books, everything that must always hold is asked."""

from collections.abc import Iterator

import pytest

from connector_pay.self_check import find_violations


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """The database, whose invariants must hold when the test is over."""
    yield
    assert find_violations() == []
