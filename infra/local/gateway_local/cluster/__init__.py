"""A three-node RabbitMQ cluster and a PostgreSQL primary with a synchronous standby, next to a running copy."""
