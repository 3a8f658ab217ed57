"""Makes the fixtures of the native runner known to every test folder; docs/testing.md describes them."""

pytest_plugins = ["gateway_local.fixtures"]
