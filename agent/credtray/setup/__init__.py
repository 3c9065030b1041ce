"""`credtray setup`: sign in, choose accounts and roles, see the difference, write the profiles."""
