"""Who is calling: merchants by API key and secret, services by short-lived signed tokens."""
