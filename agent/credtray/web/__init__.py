"""The local pages: the loopback redirect of a sign-in."""
