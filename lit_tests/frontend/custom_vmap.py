# RUN: python %s | filecheck %s
"""A function with a rule for batches is a remat, which vmap replaces by what the rule makes."""

import numpy as np

import gradatim as gd


@gd.custom_vmap
def f(x):
    return np.sin(x)


@f.def_vmap
def rule(axis_size, in_batched, x):
    return np.cos(x), True


print(gd.stage(lambda x: f(x)).trace(1.0).module)
print(gd.vmap(lambda x: f(x)).trace(np.ones(3)).module)

# CHECK:      array.remat policy "everything" operands(%x : tensor<f64>)
# CHECK:        array.sin
# CHECK:      builtin.module {
# CHECK-NOT:  array.remat
# CHECK:      array.cos %x : tensor<3xf64>
