"""Notices which roles a person has: those that are new, and those that are gone."""
