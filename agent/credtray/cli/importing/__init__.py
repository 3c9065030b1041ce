"""`credtray import`: keys pasted from the access portal."""
