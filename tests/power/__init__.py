"""Power cuts: what a program writes and syncs is recorded, and played back up to any instant."""
