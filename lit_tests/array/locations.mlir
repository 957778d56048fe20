// RUN: gradatim-opt %s --print-debuginfo | filecheck %s
// RUN: gradatim-opt %s --print-debuginfo | gradatim-opt --print-debuginfo | filecheck %s
// RUN: gradatim-opt %s --print-debuginfo --print-op-generic | gradatim-opt --print-debuginfo | filecheck %s

// CHECK: array.neg %x : tensor<2xf32> loc("model"("model.py":12:8))
// CHECK: array.sin %y : tensor<2xf32> loc("vjp"("model"("model.py":12:8)))
// CHECK: array.add %y, %z : tensor<2xf32> loc(fused["a.py":1:2, "b.py":3:4])
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = array.neg %x : tensor<2xf32> loc("model"("model.py":12:8))
  %z = array.sin %y : tensor<2xf32> loc("vjp"("model"("model.py":12:8)))
  %w = array.add %y, %z : tensor<2xf32> loc(fused["a.py":1:2, "b.py":3:4])
  func.return %w : tensor<2xf32>
}
