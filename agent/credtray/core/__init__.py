"""Decisions that touch nothing: no file, no clock, no thread, no log."""
