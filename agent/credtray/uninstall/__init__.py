"""`credtray uninstall`: takes away what credtray has left in a home, and says what stays and why."""
