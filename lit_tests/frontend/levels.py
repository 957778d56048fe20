# RUN: python %s | filecheck %s
"""One function through all levels."""

import numpy as np

import gradatim as gd


def f(x):
    return x * np.sin(x**2)


lowered = gd.stage(f).grad().vmap().lower(np.ones(1000, np.float32))
for level in ("array", "kernel", "loop", "llvm", "asm"):
    print(f"--- {level}")
    print(lowered.as_text(level))

# CHECK-LABEL: --- array
# CHECK:         func.func @f(%x: tensor<1000xf32>) -> tensor<1000xf32> {
# CHECK:         array.sin
# CHECK-LABEL: --- kernel
# CHECK:         kernel.fusion
# CHECK:         array.cos
# CHECK:         kernel.yield
# CHECK-LABEL: --- loop
# CHECK:         func.func @f(%x: memref<1000xf32>, %{{.*}}: memref<1000xf32>)
# CHECK:         scf.for
# CHECK:         math.sin {{.*}} : vector<{{[0-9]+}}xf32>
# CHECK-LABEL: --- llvm
# CHECK:         define i32 @gd.main(ptr
# CHECK:         fmul contract <{{[0-9]+}} x float>
# CHECK:         define i32 @gd.entry(ptr %buffers)
# CHECK-LABEL: --- asm
# CHECK:         gd.entry:
