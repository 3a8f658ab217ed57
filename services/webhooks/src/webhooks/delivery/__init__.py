"""Getting one signed request to one endpoint: the client, the lanes, the claims and the record of what came of it."""
