"""The message bus of the desktop session: one shared connection, and what is said over it."""
