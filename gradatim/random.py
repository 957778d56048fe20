"""Random numbers, with JAX's names, keys and bits.

This is `gradatim.frontend.random` under the name that users write.
"""

import sys

from .frontend import random as _surface

sys.modules[__name__] = _surface
