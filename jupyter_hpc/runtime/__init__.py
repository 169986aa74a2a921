"""This process: its loop, its children, its settings."""
