"""The X server: an icon in its trays, the menu of that icon, and the thread that talks to it."""
