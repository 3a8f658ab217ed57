"""SQL, named for the question it answers; hot statements are one round trip."""
