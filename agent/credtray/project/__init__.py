"""`credtray project`, `trust` and `hook`: a directory names its profile, and a person has agreed to that."""
