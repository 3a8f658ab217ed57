"""Words that cross a service border, and plumbing without business rules."""
