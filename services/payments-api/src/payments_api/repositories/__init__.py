"""SQL, in functions named for the question they answer. Hot statements are text, one round trip each."""
