"""Times in filters: ISO 8601 or Unix seconds; what UTC cannot tell is refused."""

from __future__ import annotations

import pydantic
import pytest

from webhooks.schemas import Moment

MOMENT = pydantic.TypeAdapter[object](Moment)


@pytest.mark.parametrize("given", ["2030-01-02T03:04:05Z", "2030-01-02T04:04:05+01:00", "1893553445"])
def test_a_time_in_any_spelling_is_one_moment(given: str) -> None:
    assert str(MOMENT.validate_python(given)) == "2030-01-02 03:04:05+00:00"


@pytest.mark.parametrize("given", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "yesterday", "9" * 30])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        MOMENT.validate_python(given)
