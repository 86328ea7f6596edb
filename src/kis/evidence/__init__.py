"""Evidence: what an answer follows from, sealed, and how to check it."""
