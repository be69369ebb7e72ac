"""The tables of the record layouts."""

import pytest

from payments.ach.layouts import RECORD_LENGTH, RECORDS, Layout


@pytest.mark.parametrize("layout", RECORDS, ids=lambda layout: layout.name)
def test_the_fields_of_a_record_cover_its_94_columns_once(layout: Layout) -> None:
    columns = [column for field in layout.fields for column in range(field.first, field.last + 1)]
    assert columns == list(range(1, RECORD_LENGTH + 1))
    assert len(layout.by_name) == len(layout.fields)


@pytest.mark.parametrize("layout", RECORDS, ids=lambda layout: layout.name)
def test_what_is_always_the_same_fills_its_columns(layout: Layout) -> None:
    for field in layout.fields:
        assert not field.content or len(field.content) == field.width
