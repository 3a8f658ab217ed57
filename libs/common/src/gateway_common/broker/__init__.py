"""RabbitMQ: the topology as data, publishing with confirms, consuming with explicit acknowledgement (BROKER.md)."""
