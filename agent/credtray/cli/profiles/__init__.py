"""`credtray profiles`: list, search, and what suits automation."""
