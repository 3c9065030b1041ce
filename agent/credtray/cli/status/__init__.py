"""`credtray status`: how things stand, in words and tables."""
