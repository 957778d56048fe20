"""The intermediate representations: dialects, types, locations, builder and reference interpreter."""
