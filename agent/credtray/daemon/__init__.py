"""What keeps running: it sees only ports (core/ports)."""
