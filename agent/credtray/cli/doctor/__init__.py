"""`credtray doctor` and `credtray explain`: what is wrong, and what to do about it."""
