"""`credtray setup`: sign in, choose, see the difference, write the profiles."""
