"""The root of a Django host's addresses; the test puts the application's own in."""

from __future__ import annotations

from typing import Any

from django.urls import clear_url_caches, include, path

inner: list[Any] = []
urlpatterns: list[Any] = []


def build(at: str) -> None:
    """The application below a prefix."""
    urlpatterns[:] = [path(f"{at.strip('/')}/", include(inner))]
    clear_url_caches()
