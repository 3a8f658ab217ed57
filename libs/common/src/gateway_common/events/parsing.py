"""Message bodies: JSON to model and back."""

from __future__ import annotations

from typing import TypeVar

import pydantic

from gateway_common.broker.delivery import Delivery, MalformedMessageError


class Message(pydantic.BaseModel):
    """Base of every message body: unknown fields are ignored, so that a newer sender does not stop an older reader."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)


M = TypeVar("M", bound=Message)


def parse(model: type[M], delivery: Delivery) -> M:
    """Raises `MalformedMessageError`, which parks the message."""
    try:
        return model.model_validate_json(delivery.body)
    except pydantic.ValidationError as error:
        raise MalformedMessageError(
            f"{model.__name__}: {error.errors(include_input=False, include_url=False)}"
        ) from error


def encode(message: Message) -> str:
    """Compact JSON; fields that were not set are left out."""
    return message.model_dump_json(exclude_unset=True)
