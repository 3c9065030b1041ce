"""Everything that touches the user's desktop and operating system."""
