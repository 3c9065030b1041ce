"""What other programs need of a profile: tokens for clusters, registries, databases; settings of agents."""
