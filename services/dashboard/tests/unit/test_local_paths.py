from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.domain.local_paths import HOME, local_path_or_home


@pytest.mark.parametrize(
    "path",
    [
        None, "", "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/\n/evil.example", " /dashboard", "dashboard", "/dash\\..\\board", "/" + "a" * 3000, "/é",
    ],
)  # fmt: skip
def test_other_places_lead_home(path: str | None) -> None:
    assert local_path_or_home(path) == HOME


@pytest.mark.parametrize("path", ["/", "/dashboard/transactions?q=a&status=failed", "/checkout"])
def test_paths_of_this_site_are_kept(path: str) -> None:
    assert local_path_or_home(path) == path


@given(st.text(alphabet="/\\.:@?#abc \t\n%", max_size=12))
def test_nothing_leaves_the_site(path: str) -> None:
    target = urljoin("http://localhost:3000/login", local_path_or_home(path).replace("\\", "/"))
    assert urlsplit(target).netloc == "localhost:3000"
