"""The OpenAPI document: what is said of this service's endpoints, the merged document, and the page that shows it."""
