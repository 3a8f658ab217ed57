"""The private PostgreSQL, Redis, RabbitMQ and nginx of one copy."""
