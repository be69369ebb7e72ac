"""Addresses of people and sign-in."""

from django.urls import path

from members import views

urlpatterns = [
    path("activate/", views.show_identity, name="activate"),
    path("activate/account/", views.show_account, name="activate_account"),
]
