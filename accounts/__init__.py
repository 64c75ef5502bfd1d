"""Who may enter: passwords, logins, API keys, and ending what was opened by one that is revoked."""
