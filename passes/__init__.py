"""Passes: transformations of the IR, each an xDSL ``ModulePass`` that can run alone."""
