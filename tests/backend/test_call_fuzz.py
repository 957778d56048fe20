"""Random arguments: the native call never crashes and always agrees with the fallback.

The calls run in another process, so that a crash is a failure with a trace and not the end of the
test run.
"""

import subprocess
import sys

import pytest

from gradatim.backend.call import CompiledCallable
from gradatim.backend.call.fallback import CtypesCallable

CALLS = 15_000


@pytest.mark.skipif(CompiledCallable is CtypesCallable, reason="about the native implementation")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_native_calls_agree_with_the_fallback(seed):
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.backend.call_fuzzer"]
    finished = subprocess.run(
        [*command, str(seed), str(CALLS)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-5000:]
    matched, total = map(int, finished.stdout.split())
    assert total == CALLS
    assert matched > total // 20
