"""A small Identity Center on loopback and a throw-away home: the embedded default."""
