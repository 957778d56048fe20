# RUN: python %s | filecheck %s
"""What tracing leaves behind: operators, functions, indexing, constants, hidden arguments."""

import numpy as np

import gradatim as gd

table = np.arange(6.0)
large = np.arange(200.0).reshape(20, 10)


def f(x, params, *, scale):
    y = np.sin(x) * params["w"] + table
    return {"first": y[::-2], "sum": (y * scale).sum(), "same": x}


print(gd.stage(f).trace(np.ones(6), {"w": np.float32(2)}, scale=3).module)

# Parameters are named after the leaves; the Python int took the dtype of what it met.
# CHECK:      func.func @f(%x: tensor<6xf64>, %params_w: tensor<f32>, %scale: tensor<i64>)
# CHECK-SAME:   -> (tensor<3xf64>, tensor<6xf64>, tensor<f64>) {
# CHECK:        [[SIN:%.*]] = array.sin %x : tensor<6xf64>
# CHECK:        [[MUL:%.*]] = array.mul [[SIN]], {{%.*}} : tensor<6xf64>
# CHECK:        [[TABLE:%.*]] = array.constant dense<[{{.*}}]> : tensor<6xf64>
# CHECK:        [[Y:%.*]] = array.add [[MUL]], [[TABLE]] : tensor<6xf64>
# CHECK:        [[PART:%.*]] = array.slice [[Y]] starts [1] limits [6] strides [2]
# CHECK:        [[FIRST:%.*]] = array.reverse [[PART]] dims [0]
# CHECK:        array.convert %scale : tensor<i64> -> tensor<f64>
# CHECK:        [[SUM:%.*]] = array.reduce add
# CHECK:        func.return [[FIRST]], %x, [[SUM]]

print(gd.stage(lambda x: x @ large).trace(np.ones(20)).module)

# A large array is a hidden argument.
# CHECK:      func.func @lambda(%capture0: tensor<20x10xf64>, %x: tensor<20xf64>)
# CHECK-NOT:    array.constant
# CHECK:        array.dot_general %{{.*}}, %capture0
