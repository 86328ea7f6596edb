"""Operating the installation."""
