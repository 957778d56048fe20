"""``python -m gradatim dump ...``; see `gradatim.tools.dump`."""

from __future__ import annotations

import sys

from .tools.dump import main

if __name__ == "__main__":
    sys.exit(main())
