"""The schemas that the manifests are checked against, and how they were made."""
