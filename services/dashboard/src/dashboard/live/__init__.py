"""Changes, from the broker and from polls to the browser windows they belong to."""
