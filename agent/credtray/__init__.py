"""credtray: keeps AWS IAM Identity Center credentials fresh. Importing it does nothing else."""

__version__ = "0.1.0"
