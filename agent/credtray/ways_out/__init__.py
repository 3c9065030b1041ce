"""Where keys go, decided without touching anything: child processes, shells, the endpoint, the console."""
