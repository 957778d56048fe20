# RUN: python %s | filecheck %s
"""Every op knows the user's function, file, line and column, also what a transformation made."""

import numpy as np

import gradatim as gd


def f(x):
    return np.sin(x).sum()


lowered = gd.stage(f).grad().lower(np.ones(3))
print(lowered.as_text("array", debug_info=True))

# CHECK: array.cos %x : tensor<3xf64> loc("vjp"("f"("{{.*}}locations.py":10:12)))
