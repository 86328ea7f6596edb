"""What browsers load: static files, vendored and pinned."""
