"""One function per use case; what it works with comes in as arguments."""
