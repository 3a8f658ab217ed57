"""HTTP: read the request, call the use case, answer. No rule lives here."""
