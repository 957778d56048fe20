// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=0 out-axes=-1}' --split-input-file --verify-diagnostics | filecheck %s

func.func @f(%x: tensor<3xf64>) -> tensor<3xf64> {
  %a = array.sin %x : tensor<3xf64>
  func.return %a : tensor<3xf64>
}

// CHECK: vmap: result 0 differs between examples, so it needs an axis in out_axes

// -----

func.func @f(%x: tensor<3xf64>, %y: tensor<3xf64>) -> tensor<3xf64> {
  func.return %y : tensor<3xf64>
}

// CHECK: vmap: in_axes [0] must have 2 entries
