"""What the AWS config file says, and how its text is edited. Pure: bytes in, bytes out."""
