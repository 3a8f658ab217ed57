"""The checkout page as a shopper uses it, in a tab of its own or in a shop's modal."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import FrameLocator, Locator, Page, expect

State = Literal["form", "processing", "success", "error", "elsewhere", "paid", "expired", "unknown", "unavailable"]

CARD = "4242424242424242"


class PaymentPage:
    def __init__(self, within: Page | FrameLocator) -> None:
        self._within = within

    def part(self, test_id: str) -> Locator:
        return self._within.locator(f"[data-test-id={test_id}]")

    def locator(self, selector: str) -> Locator:
        return self._within.locator(selector)

    def fill_upi(self, vpa: str) -> None:
        self.part("method-upi").click()
        self.part("vpa-input").fill(vpa)

    def fill_card(self, number: str = CARD, *, expiry: str = "12/39", cvv: str = "123", name: str = "Asha Rao") -> None:
        self.part("method-card").click()
        self.part("card-number-input").fill(number)
        self.part("expiry-input").fill(expiry)
        self.part("cvv-input").fill(cvv)
        self.part("cardholder-name-input").fill(name)

    def pay_button(self, method: Literal["upi", "card"]) -> Locator:
        return self.part(f"{method}-form").locator("[data-test-id=pay-button]")

    def pay_by_upi(self, vpa: str) -> None:
        self.fill_upi(vpa)
        self.pay_button("upi").click()

    def pay_by_card(self, number: str = CARD) -> None:
        self.fill_card(number)
        self.pay_button("card").click()

    def expect_state(self, state: State, timeout_seconds: float = 15) -> None:
        expect(self.locator(f"[data-view={state}]")).to_be_visible(timeout=timeout_seconds * 1000)

    def payment_id(self) -> str:
        """Of the success that is shown."""
        self.expect_state("success")
        return self.part("payment-id").inner_text()
