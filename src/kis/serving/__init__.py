"""How the application is served: connections, processes, and who has an installation."""
