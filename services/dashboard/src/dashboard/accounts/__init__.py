"""Who may sign in: passwords, sessions, form tokens, the limit on attempts."""
