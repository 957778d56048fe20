// RUN: gradatim-opt %s -p kernel-bufferize --split-input-file --verify-diagnostics | filecheck %s

func.func @not_fused(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = array.sin %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
// CHECK: array.sin cannot be bufferised: array-inline and array-fuse come before
