import pytest

from gradatim.backend.call.fallback import CtypesCallable
from gradatim.backend.call.function import CompiledCallable

KINDS = list(dict.fromkeys([CompiledCallable, CtypesCallable]))


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request):
    """Each class of compiled callables that works in this interpreter."""
    return request.param
