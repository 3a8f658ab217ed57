"""Makes the checkout page: the HTML with its assets' addresses and the order written into it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from checkout_cdn.assets import Asset
from checkout_cdn.orders import NoOrder, PublicOrder

# Collects in test mode, where no money moves.
TEST_PAYEE_VPA = "gateway@testbank"
_STATIC_IMPORT = re.compile(r"^(?:import|\} from) .*?'\./([\w.-]+\.js)';|^import '\./([\w.-]+\.js)';", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


class CheckoutPage:
    """`template` is index.html; `api_url` goes to the browser as it is."""

    def __init__(
        self, template: str, assets: Mapping[str, Asset], assets_path: str, api_url: str, payee_vpa: str | None
    ) -> None:
        self._api_url = api_url
        self._payee_vpa = payee_vpa
        # Named up front, all modules come in one go instead of one level of imports after the other.
        modules = [
            f'<link rel="modulepreload" href="{assets_path}/{name}">' for name in imported_modules("main.js", assets)
        ]
        filled = {"assets": assets_path, "modules": "\n".join(modules)}
        page = _PLACEHOLDER.sub(lambda match: filled.get(match[1], match[0]), template)
        self._before, self._after = page.split("{{data}}")

    def render(self, order: PublicOrder | NoOrder) -> str:
        data = {
            "api": self._api_url,
            "order": None if isinstance(order, NoOrder) else _shown(order),
            "problem": order.reason if isinstance(order, NoOrder) else None,
            "upi_payee": self._payee(order),
        }
        return f"{self._before}{_json_in_html(data)}{self._after}"

    def _payee(self, order: PublicOrder | NoOrder) -> str | None:
        if isinstance(order, NoOrder):
            return None
        return self._payee_vpa or (TEST_PAYEE_VPA if order.test_mode else None)


def imported_modules(entry: str, assets: Mapping[str, Asset]) -> list[str]:
    """The modules that `entry` cannot start without: its static imports, and theirs. What is imported while
    the page runs (another language, the QR encoder) is not among them."""
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = None
        waiting.extend(match[1] or match[2] for match in _STATIC_IMPORT.finditer(assets[name].body.decode()))
    return list(found)


def _shown(order: PublicOrder) -> dict[str, object]:
    return {**order.model_dump(exclude={"merchant"}), "merchant": {"name": order.merchant.name}}


def _json_in_html(value: object) -> str:
    """Escaped so that no text can end the script element (HTML standard, 4.12.1.3)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
