"""`credtray import`: keys copied from the access portal. What reads them is pure: portal_text and forms."""
