// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=-1,0,1}' | filecheck %s
// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=-1,-1,0 out-axes=-1,1}' | filecheck %s --check-prefix=SHARED

// Each example is sorted by its own keys; keys that are the same for all sort once.

func.func @f(%x: tensor<4xf64>, %y: tensor<4xi32>, %z: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
  %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2 : tensor<4xf64>, tensor<4xi32>, tensor<4xf64> -> tensor<4xf64>, tensor<4xi32>, tensor<4xf64>, tensor<4xi64>
  func.return %a, %c : tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    [[X:%.*]] = array.broadcast %x dims [1] : tensor<4xf64> -> tensor<8x4xf64>
// CHECK-NEXT:    [[Z:%.*]] = array.transpose %z permutation [1, 0]
// CHECK-NEXT:    %a, %b, %c, %p = array.sort [[X]], %y, [[Z]] dim 1 keys 2
// CHECK-NEXT:    func.return %a, %c : tensor<8x4xf64>, tensor<8x4xf64>

// SHARED-LABEL: func.func @f
// SHARED-NEXT:    %a, %b, %p = array.sort %x, %y dim 0 keys 2
// SHARED-NEXT:    %c = array.gather %z[%p] dims [1] : tensor<8x4xf64>, tensor<4xi64> -> tensor<4x8xf64>
// SHARED-NEXT:    func.return %a, %c : tensor<4xf64>, tensor<4x8xf64>
