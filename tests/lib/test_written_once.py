"""A question written once is answered as Django answers it anew, for whichever ids it is asked."""

from typing import Any

import pytest
from django.db.models import QuerySet, Sum, Value

from connector_pay.lib.written_once import write_once
from members.models import Enrollment, PremiumRate
from tests.people import make_enrollment

pytestmark = pytest.mark.django_db


def find_costs(enrollment_ids: list[int]) -> QuerySet[PremiumRate, Any]:
    rates = PremiumRate.objects.filter(enrollment__among=enrollment_ids).values("enrollment")
    costs = rates.annotate(cents=Sum("premium_cents"), total=Sum(Value(2**40)))
    return costs.order_by("enrollment").values_list("enrollment", "cents", "total")


@pytest.fixture
def enrollments() -> list[Enrollment]:
    return [make_enrollment(premium_cents=cents) for cents in (100_00, 200_00, 300_00)]


def test_it_answers_as_the_query_does_at_the_first_asking_and_later(enrollments: list[Enrollment]) -> None:
    read_costs = write_once(find_costs)
    keys = [item.pk for item in enrollments]
    for asked in (keys, keys[:1], keys[1:], {keys[2]}, dict.fromkeys(keys)):
        assert [tuple(row) for row in read_costs(asked)] == list(find_costs(list(asked)))
    assert [cents for _key, cents, _total in read_costs(keys)] == [100_00, 200_00, 300_00]


def test_a_sum_is_a_whole_number_as_django_reads_it(enrollments: list[Enrollment]) -> None:
    ((_key, cents, total),) = write_once(find_costs)([enrollments[0].pk])
    assert (type(cents), type(total)) == (int, int)  # of large numbers the driver makes decimals


def test_no_ids_are_no_question(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert write_once(find_costs)([]) == []


def test_it_is_put_into_sql_once_and_asked_each_time(
    enrollments: list[Enrollment], django_assert_num_queries
) -> None:
    written = []

    @write_once
    def read_costs(ids: list[int]) -> QuerySet[PremiumRate, Any]:
        written.append(ids)
        return find_costs(ids)

    with django_assert_num_queries(3):
        for item in enrollments:
            read_costs([item.pk])
    assert len(written) == 1


def test_several_lists_come_each_to_its_own_place(
    enrollments: list[Enrollment], django_assert_num_queries
) -> None:
    @write_once
    def read_either(words: list[str], keys: list[int], others: list[int]) -> QuerySet[Enrollment, Any]:
        found = Enrollment.objects.filter(pk__among=keys) | Enrollment.objects.filter(pk__among=others)
        found |= Enrollment.objects.filter(external_id__among=words)
        return found.order_by("pk").values_list("pk", "external_id")

    first, second, third = ((item.pk, item.external_id) for item in enrollments)
    for words, keys, others in (([second[1]], [first[0]], [third[0]]), ([third[1]], [second[0]], [first[0]])):
        assert [tuple(row) for row in read_either(words, keys, others)] == [first, second, third]
    assert [tuple(row) for row in read_either([first[1]], [first[0]], [second[0]])] == [first, second]
    with django_assert_num_queries(0):
        assert read_either([first[1]], [], [second[0]]) == []
