"""HTTP: routes, error shape, access. Nothing below knows of it."""
