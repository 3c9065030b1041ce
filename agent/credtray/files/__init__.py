"""How files are read, replaced, locked and watched safely. Knows nothing of AWS; every wing may use it."""
