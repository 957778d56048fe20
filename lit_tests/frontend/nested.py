# RUN: python %s | filecheck %s
"""A transformation in a traced function: a private function, transformed at once, and a call."""

import numpy as np

import gradatim as gd


def outer(x, y):
    def inner(z):
        return np.sin(z) * x

    return gd.grad(inner)(y) + gd.grad(inner)(2.0)


print(gd.stage(outer).trace(1.0, 2.0).module)

# The value that `inner` closes over is its first parameter.
# CHECK:      func.func @outer(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
# CHECK-NEXT:   [[A:%.*]] = func.call @inner(%x, %y) : (tensor<f64>, tensor<f64>) -> tensor<f64>
# CHECK-NEXT:   [[C:%.*]] = array.constant dense<2.000000e+00> : tensor<f64>
# CHECK-NEXT:   [[B:%.*]] = func.call @inner_1(%x, [[C]])
# CHECK-NEXT:   [[S:%.*]] = array.add [[A]], [[B]]
# CHECK-NEXT:   func.return [[S]]
# CHECK:      func.func private @inner(%capture0: tensor<f64>, %z: tensor<f64>) -> tensor<f64> {
# CHECK:        array.cos %z
# CHECK:        func.return
