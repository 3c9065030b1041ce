"""Addresses of the AWS console. Pure; opens nothing."""
