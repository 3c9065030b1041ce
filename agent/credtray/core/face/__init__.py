"""What icon, tooltip and menu show, as values of the state. Pure; draws nothing."""
