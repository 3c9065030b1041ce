"""Tokens that are made from role credentials: for Kubernetes clusters, databases and package registries."""
