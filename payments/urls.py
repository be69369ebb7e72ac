"""Addresses of the portal: the public pages, a member's own pages, and the two ways to pay."""

from django.urls import URLPattern, path

from payments.views import (
    autopay,
    bank_names,
    bill_codes,
    bills,
    guest,
    home,
    mailed,
    pay,
    phone,
    phone_try,
    profile,
    public,
    receipts,
    session,
)

urlpatterns: list[URLPattern] = [
    path("", public.show_front_door, name="front_door"),
    path("how-to-pay/", public.show_how_to_pay, name="how_to_pay"),
    path("help/", public.show_help, name="help"),
    path("faq/", public.show_faq, name="faq"),
    path("other-ways-to-pay/", public.show_other_ways, name="other_ways"),
    # A member's own pages
    path("home/", home.home, name="home"),
    path("home/premium-dates.ics", home.calendar, name="calendar_file"),
    path("bills/", bills.bills, name="bills"),
    path("bills/<str:number>/", bills.bill, name="bill"),
    path("bills/<str:number>/bill.pdf", bills.bill_document, name="bill_pdf"),
    path("payments/", receipts.history, name="payment_history"),
    path("payments/payments.csv", receipts.history_csv, name="payment_history_csv"),
    # The profile
    path("profile/", profile.show_profile, name="profile"),
    path("profile/language/", profile.change_language, name="profile_language"),
    path("profile/email/", profile.change_email, name="profile_email"),
    path("profile/email/<str:token>/", profile.show_email_link, name="confirm_email"),
    path("profile/phone/", profile.change_phone_number, name="profile_phone"),
    path("profile/paperless/", profile.change_paperless, name="profile_paperless"),
    path("profile/sign-out-everywhere/", profile.sign_out_everywhere, name="sign_out_everywhere"),
    # More time, or none
    path("session/extend/", session.extend, name="session_extend"),
    path("session/end/", session.end, name="session_end"),
    # Receipts, signed in or not
    path("receipts/", receipts.find, name="receipt_find"),
    path("receipts/<str:number>/", receipts.receipt, name="receipt"),
    path("receipts/<str:number>/cancel/", receipts.cancel, name="cancel_payment"),
    # A check in the mail
    path("mailed/<int:account>/", mailed.tell, name="mailed_check"),
    path("mailed/<int:key>/withdraw/", mailed.withdraw, name="withdraw_mailed"),
    # AutoPay
    path("autopay/", autopay.overview, name="autopay"),
    path("autopay/set-up/", autopay.start, name="autopay_start"),
    path("autopay/set-up/<uuid:draft>/<str:step>/", autopay.step, name="autopay_step"),
    path("autopay/done/<uuid:form_key>/", autopay.confirmation, name="autopay_confirmation"),
    path("autopay/<int:account>/off/", autopay.off, name="autopay_off"),
    path("autopay/authorizations/<int:mandate>/", autopay.authorization, name="autopay_authorization"),
    # Paying
    path("pay/", pay.start, name="pay"),
    path("pay/again/<str:number>/", pay.again, name="pay_again"),
    path("pay/<uuid:draft>/<str:step>/", pay.step, name="pay_step"),
    path("guest/", guest.find, name="guest_find"),
    path("b/<str:code>/", bill_codes.show, name="bill_link"),
    path("guest/clear/", guest.clear, name="guest_clear"),
    path("guest/<uuid:draft>/<str:step>/", guest.step, name="guest_pay"),
    path("bank-name/", bank_names.tell, name="bank_name"),
    # A carrier's webhooks of a phone call, and a call without any carrier in a demo
    path("phone/", phone.start, name="phone"),
    path("phone/try/", phone_try.show, name="phone_try"),
    path("phone/<slug:step>/", phone.take, name="phone_step"),
    path("confirmation/<uuid:form_key>/", pay.confirmation, name="confirmation"),
]
