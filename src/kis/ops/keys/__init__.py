"""Keys while the service runs: made, rotated, revoked, and followed by every process."""
