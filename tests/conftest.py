"""Settings of all tests: under CI, Hypothesis draws the same examples every time.

How long an example takes depends on what else the machine does, and fails no test.
"""

import os

from hypothesis import settings

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
