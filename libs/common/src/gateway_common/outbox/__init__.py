"""Transactional outbox and inbox (docs/architecture.md): a message is written with the effect, and an effect with the message's id."""
