"""Whether a coding agent gets keys: who asks, what the settings say of that, and what a person answers."""
