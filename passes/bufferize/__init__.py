"""Bufferisation: from values to memory that is planned before the program runs."""
