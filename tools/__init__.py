"""What maintainers run by hand: it brings or makes files that are committed."""
