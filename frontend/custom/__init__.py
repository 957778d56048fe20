"""Functions with rules of the user's: for derivatives, and for batches.

In a traced function they become ``array.custom_derivative``, whose regions call private functions:
the function itself and its rules. Each of these is traced once for a signature. A rule may call the
function that it belongs to, so these functions may be recursive; the inliner opens a rule only
where it is used.
"""

from .gradient import custom_gradient
from .jvp import custom_jvp
from .stop import stop_gradient
from .vjp import custom_vjp
from .vmap import custom_vmap

__all__ = ["custom_gradient", "custom_jvp", "custom_vjp", "custom_vmap", "stop_gradient"]
