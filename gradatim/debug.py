"""Looking into programs while they run: printing and calling Python."""

from .frontend.callbacks import debug_callback as callback
from .frontend.callbacks import debug_print as print

__all__ = ["callback", "print"]
