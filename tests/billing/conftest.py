"""After every test of billing that used the database, billing's invariants are asked."""

from collections.abc import Iterator

import pytest

from tests.billing.books import list_broken


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """The database, whose books must balance when the test is over."""
    yield
    assert list_broken() == []
