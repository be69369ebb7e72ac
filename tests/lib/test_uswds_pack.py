"""How the crispy pack draws forms: labels, hints, errors and the summary."""

import re

import pytest
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Fieldset, Layout, Submit
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string

from connector_pay.lib.form_fields import MemorableDateField, MoneyField

PRODUCTS = [("health", "Health"), ("dental", "Dental")]


class Everything(forms.Form):
    who = forms.CharField(label="Member ID or phone number", help_text="12 digits")
    born = MemorableDateField(label="Date of birth", help_text="For example: 4 28 1986", required=False)
    product = forms.ChoiceField(label="Which bill?", choices=PRODUCTS, widget=forms.RadioSelect)
    amount = MoneyField(label="Amount")
    state = forms.ChoiceField(label="State", choices=[("MA", "Massachusetts")])
    both = forms.MultipleChoiceField(choices=PRODUCTS, widget=forms.CheckboxSelectMultiple, required=False)
    authorize = forms.BooleanField(label="I authorize this payment")
    key = forms.CharField(widget=forms.HiddenInput)


def draw(form: forms.Form) -> str:
    return Template("{% load crispy_forms_filters %}{{ form|crispy }}").render(Context({"form": form}))


@pytest.fixture
def wrong() -> str:
    return draw(Everything({"born_month": "4", "born_day": "28", "born_year": "86"}))


def test_every_box_has_a_label_of_its_own() -> None:
    page = draw(Everything())
    boxes = re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', page)
    assert len(boxes) == 11
    assert all(f'for="{box}"' in page for box in boxes)


def test_hints_and_errors_carry_the_ids_that_the_boxes_point_at(wrong: str) -> None:
    described = " ".join(re.findall(r'aria-describedby="([^"]+)"', wrong)).split()
    assert {
        "id_who_helptext",
        "id_who_error",
        "id_born_error",
        "id_product_error",
        "id_authorize_error",
    } <= set(described)
    assert all(f'id="{target}"' in wrong for target in described)


def test_a_page_without_errors_shows_none() -> None:
    page = draw(Everything())
    assert "usa-error-message" not in page
    assert "usa-form-group--error" not in page


def test_typed_values_come_back_and_are_escaped() -> None:
    page = draw(Everything({"who": '"><script>', "product": "dental", "born_day": "<b>"}))
    assert "<script>" not in page
    assert "<b>" not in page
    assert re.search(r'value="dental"[^>]*checked', page)


def test_the_summary_links_each_error_to_its_box_with_the_same_words() -> None:
    form = Everything({"born_month": "4", "born_day": "28", "born_year": "86"})
    summary = render_to_string("includes/error_summary.html", {"form": form})
    assert "There is a problem" in summary
    targets = re.findall(r'href="#([^"]+)"', summary)
    assert targets == ["id_who", "id_born_2", "id_product_0", "id_amount", "id_state", "id_authorize"]
    page = draw(form)
    assert all(f'id="{target}"' in page for target in targets)
    assert "Enter the year with 4 digits, like 1986" in summary
    assert "Enter the year with 4 digits, like 1986" in page


def test_several_forms_share_one_summary_and_a_clean_page_has_none() -> None:
    first, second = Everything({}, prefix="health"), Everything({}, prefix="dental")
    summary = render_to_string("includes/error_summary.html", {"forms": [first, second]})
    assert "#id_health-who" in summary
    assert "#id_dental-who" in summary
    assert render_to_string("includes/error_summary.html", {"form": Everything()}).strip() == ""


def test_errors_of_the_whole_form_are_said_without_a_link() -> None:
    form = Everything({})
    form.add_error(None, "Choose a bill to pay")
    summary = render_to_string("includes/error_summary.html", {"form": form})
    assert "Choose a bill to pay" in summary
    assert "Choose a bill to pay</a>" not in summary


def test_the_title_of_a_page_with_errors_starts_with_error() -> None:
    title = Template("{% load uswds %}{% error_prefix %}Bank account")
    assert title.render(Context({"anything": Everything({})})) == "Error: Bank account"
    assert title.render(Context({"anything": Everything()})) == "Bank account"


def test_a_helper_draws_the_whole_form_with_its_buttons() -> None:
    class Short(forms.Form):
        who = forms.CharField()
        born = MemorableDateField()

    helper = FormHelper()
    helper.form_action = "/guest/"
    helper.layout = Layout(Fieldset("Who", Field("who")), Div("born"))
    helper.add_input(Submit("find", "Find my bill"))
    template = Template("{% load crispy_forms_tags %}{% crispy form helper %}")
    page = template.render(Context({"form": Short(), "helper": helper, "csrf_token": "token"}))
    assert re.search(r'<form class="usa-form[^"]*" method="post" action="/guest/"[^>]*novalidate>', page)
    assert 'name="csrfmiddlewaretoken" value="token"' in page
    assert re.search(r'<button type="submit" class="usa-button[^"]*"[^>]*>Find my bill</button>', page)
    assert page.count("<label") == 4
