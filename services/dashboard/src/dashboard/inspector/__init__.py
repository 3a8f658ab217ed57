"""The built-in webhook receiver: an address per merchant that takes, verifies, keeps and shows webhooks."""
