"""What credtray remembers itself: settings.toml, state.json, undo.json. Nothing of AWS."""
