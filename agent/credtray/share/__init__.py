"""`credtray share`: keys of one profile at the far end of an SSH connection, fetched when they are needed."""
