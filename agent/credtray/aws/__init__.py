"""Everything that touches AWS endpoints and the files under ~/.aws."""
