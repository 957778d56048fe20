"""Lanes of loops: what runs through all steps of a loop without meeting the rest."""
