"""What happened and what will happen: the history, its commands, and the time line that they share."""
