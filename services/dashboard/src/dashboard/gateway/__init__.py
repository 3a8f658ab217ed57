"""The gateway's own APIs, called on behalf of the signed-in merchant."""
