"""`credtray settings`: show and change them."""
