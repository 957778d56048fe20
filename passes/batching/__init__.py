"""vmap as a pass: one program for one example becomes one program for a batch."""
