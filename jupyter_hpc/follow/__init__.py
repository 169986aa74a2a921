"""How runs stand, and their end written down."""
