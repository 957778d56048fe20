"""NumPy's names for arrays and traced values alike: ``import gradatim.numpy as gnp``.

This is `gradatim.frontend.numpy` under the name that users write.
"""

import sys

from .frontend import numpy as _surface

sys.modules[__name__] = _surface
sys.modules[f"{__name__}.linalg"] = _surface.linalg
