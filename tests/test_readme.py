"""The README says what the code is: its map of modules, its commands, its files."""

import re
from pkgutil import resolve_name

from django.core.management import get_commands

from connector_pay.celery import read_timetable
from tests.readme_map import README, ROOT, put_into_readme


def test_the_map_of_modules_is_what_the_modules_say_they_are():
    text = README.read_text()
    assert put_into_readme(text) == text, "Draw it again: python -m tests.readme_map"


def test_every_link_into_the_repository_leads_somewhere():
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_management_command_it_names_exists():
    named = set(re.findall(r"manage\.py (\w+)", README.read_text()))
    assert named - set(get_commands()) == set()


def read_road() -> str:
    """The picture of the road of a payment."""
    return README.read_text().split("## The road of a payment")[1].split("```")[1]


def test_every_step_of_the_road_is_in_the_code():
    steps = re.findall(r"\b(?:payments|billing|members|connector_pay)(?:\.\w+)+", read_road())
    assert len(steps) > 12
    for step in steps:
        resolve_name(step)


def test_every_job_of_the_timetable_is_on_the_road_at_its_time():
    for job in read_timetable():
        assert re.search(rf"{job.at:%H:%M}   {job.name}\b", read_road()), job.name
