"""The intermediate representations: dialects, types, locations, builder and interpreter."""
