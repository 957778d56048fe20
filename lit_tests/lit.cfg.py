"""Configuration of LLVM's test runner: ``lit lit_tests`` runs every RUN line by installed tools."""
# ruff: noqa: F821 (lit defines `config`)

import os
import sys

import lit.formats

config.name = "gradatim"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".py"]
config.excludes = ["conftest.py", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.environment["PATH"] = os.pathsep.join(
    [os.path.dirname(sys.executable), config.environment["PATH"]]
)
