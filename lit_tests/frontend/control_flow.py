# RUN: python %s | filecheck %s
"""Python's statements on traced values become ops with regions."""

import numpy as np

import gradatim as gd


def show(function, *arguments):
    print(gd.stage(function).trace(*arguments).module)


def branch(x):
    y = 1.0
    if x > 0:
        y = x * 2
    return y


show(branch, 1.0)

# CHECK-LABEL: func.func @branch(%x: tensor<f64>)
# CHECK:         %[[TEST:.*]] = array.compare gt %x
# CHECK:         %[[Y:.*]] = array.case index(%[[TEST]] : tensor<i1>) operands(%x : tensor<f64>) {
# CHECK-NEXT:    ^bb0(%{{.*}}: tensor<f64>):
# CHECK-NEXT:      %[[ONE:.*]] = array.constant dense<1.000000e+00> : tensor<f64>
# CHECK-NEXT:      array.yield %[[ONE]] : tensor<f64>
# CHECK-NEXT:    } or {
# CHECK-NEXT:    ^bb0(%[[X:.*]]: tensor<f64>):
# CHECK:           %[[TWICE:.*]] = array.mul %[[X]]
# CHECK-NEXT:      array.yield %[[TWICE]] : tensor<f64>
# CHECK:         func.return %[[Y]] : tensor<f64>


def early_return(x):
    if x > 0:
        return x
    return np.sin(x)


show(early_return, 1.0)

# What follows a `return` is the other branch: one op, without a flag.

# CHECK-LABEL: func.func @early_return(%x: tensor<f64>)
# CHECK:         %[[RESULT:.*]] = array.case
# CHECK:           array.sin
# CHECK:         } or {
# CHECK-NOT:       array.sin
# CHECK:         func.return %[[RESULT]] : tensor<f64>


def loop(x):
    n = 0
    while x < 100:
        x = x * 2
        n += 1
    return x, n


show(loop, 1.0)

# CHECK-LABEL: func.func @loop(%x: tensor<f64>) -> (tensor<f64>, tensor<i64>)
# CHECK:         array.while carries(%{{.*}}, %{{.*}} : tensor<i64>, tensor<f64>) {
# CHECK:           array.compare lt
# CHECK:           array.yield %{{.*}} : tensor<i1>
# CHECK-NEXT:    } do {
# CHECK:           array.yield %{{.*}}, %{{.*}} : tensor<i64>, tensor<f64>


def leaves(x):
    for i in range(5):
        if x > i:
            break
        x = x + 1
    return x


show(leaves, 1.0)

# A loop that a traced condition leaves is a while; its flag is carried.

# CHECK-LABEL: func.func @leaves(%x: tensor<f64>) -> tensor<f64>
# CHECK:         array.while
# CHECK:           array.yield %{{.*}} : tensor<i1>
# CHECK:         } do {
# CHECK:           array.case
# CHECK-NOT:     array.while


def known(x, n):
    for i in range(n):
        if i != 1:
            x = x * i
    return x


show(lambda x: known(x, 3), 1.0)

# What is known stays with Python.

# CHECK-LABEL: func.func @lambda(%x: tensor<f64>) -> tensor<f64>
# CHECK-NOT:     array.case
# CHECK:         array.mul
# CHECK:         array.mul
# CHECK-NOT:     array.mul
# CHECK:         func.return
