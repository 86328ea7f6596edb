"""The command line `kis-backend`: a client of the same HTTP API, with or without a server."""
