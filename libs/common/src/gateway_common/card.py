"""A card in clear, as it passes through memory only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Card:
    """Clear card data; its `repr` shows none of it. `expiry_year` has four digits, `number` digits only."""

    number: str = field(repr=False)
    expiry_month: int = field(repr=False)
    expiry_year: int = field(repr=False)
    cvv: str = field(repr=False)
    holder_name: str | None = field(default=None, repr=False)
