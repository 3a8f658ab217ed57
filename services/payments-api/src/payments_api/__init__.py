"""Merchants, API keys, orders, payments and captures."""
