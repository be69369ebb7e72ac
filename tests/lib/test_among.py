"""`among` finds what `in` finds, with one parameter however many values there are."""

import pytest

from billing.models import Account, DueDateOverride, Invoice
from members.models import Enrollment, Member
from tests.people import make_enrollment, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrollments() -> list[Enrollment]:
    return [make_enrollment(member=make_member()) for _ in range(3)]


def test_it_finds_what_in_finds_by_number_by_word_and_by_relation(enrollments: list[Enrollment]) -> None:
    keys = [item.pk for item in enrollments[:2]]
    members = [item.member_id for item in enrollments[:2]]
    words = {item.external_id for item in enrollments[1:]}
    found = Enrollment.objects.order_by("pk")
    assert list(found.filter(pk__among=keys)) == list(found.filter(pk__in=keys)) == enrollments[:2]
    assert list(found.filter(member__among=members)) == enrollments[:2]
    assert list(found.filter(external_id__among=words)) == enrollments[1:]
    assert set(Member.objects.filter(enrollments__among=keys).values_list("pk", flat=True)) == set(members)


def test_a_value_longer_than_the_column_is_not_cut_to_fit(enrollments: list[Enrollment]) -> None:
    longer = enrollments[0].external_id.ljust(41, "x")
    assert not Enrollment.objects.filter(external_id__among=[longer]).exists()


def test_nothing_asked_for_is_nothing_found_without_a_query(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert list(Account.objects.filter(pk__among=[])) == []
        assert Invoice.objects.filter(account__among=set()).update(void_reason="none") == 0


def test_one_of_two_conditions_may_ask_for_nothing(enrollments: list[Enrollment]) -> None:
    either = DueDateOverride.objects.filter(account=None) | DueDateOverride.objects.filter(account__among=[])
    assert not either.exists()
    both = Enrollment.objects.filter(pk__among=[]) | Enrollment.objects.filter(pk=enrollments[0].pk)
    assert list(both) == enrollments[:1]


def test_a_thousand_values_travel_as_one_parameter() -> None:
    _statement, params = Account.objects.filter(pk__among=range(1_000)).query.sql_with_params()
    assert params == (list(range(1_000)),)
