"""Simplification of ops with regions: what they take and give, and what they compute in vain."""
