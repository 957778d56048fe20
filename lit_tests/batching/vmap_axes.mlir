// RUN: gradatim-opt %s -p 'array-vmap{size=8 function=f in-axes=1 out-axes=1}' --split-input-file | filecheck %s

// Nothing moves where the batch can stay: a reshape splits around it, others follow it.

func.func @f(%x: tensor<2x6xf64>) -> tensor<2x3xf64> {
  %a = array.reshape %x : tensor<2x6xf64> -> tensor<2x2x3xf64>
  %b = array.reduce add %a dims [1] : tensor<2x2x3xf64> -> tensor<2x3xf64>
  %c = array.tanh %b : tensor<2x3xf64>
  func.return %c : tensor<2x3xf64>
}

// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%x: tensor<2x8x6xf64>) -> tensor<2x8x3xf64>
// CHECK-NEXT:    %a = array.reshape %x : tensor<2x8x6xf64> -> tensor<2x8x2x3xf64>
// CHECK-NEXT:    %b = array.reduce add %a dims [2] : tensor<2x8x2x3xf64> -> tensor<2x8x3xf64>
// CHECK-NEXT:    %c = array.tanh %b : tensor<2x8x3xf64>
// CHECK-NEXT:    func.return %c

// -----

// Where it cannot, it comes to the front.

func.func @f(%x: tensor<2x6xf64>) -> tensor<3x4xf64> {
  %a = array.reshape %x : tensor<2x6xf64> -> tensor<3x4xf64>
  func.return %a : tensor<3x4xf64>
}

// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%x: tensor<2x8x6xf64>) -> tensor<3x8x4xf64>
// CHECK-NEXT:    %0 = array.transpose %x permutation [1, 0, 2] : tensor<2x8x6xf64> -> tensor<8x2x6xf64>
// CHECK-NEXT:    %a = array.reshape %0 : tensor<8x2x6xf64> -> tensor<8x3x4xf64>
// CHECK-NEXT:    %1 = array.transpose %a permutation [1, 0, 2] : tensor<8x3x4xf64> -> tensor<3x8x4xf64>
// CHECK-NEXT:    func.return %1

// -----

// Only the function that is named is mapped.

func.func @f(%x: tensor<2xf64>) -> tensor<2xf64> {
  %a = array.sin %x : tensor<2xf64>
  func.return %a : tensor<2xf64>
}

// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%x: tensor<2x8xf64>) -> tensor<2x8xf64>
// CHECK-NEXT:    %a = array.sin %x : tensor<2x8xf64>
// CHECK-NEXT:    func.return %a

func.func @g(%x: tensor<2xf64>) -> tensor<2xf64> {
  %a = array.sin %x : tensor<2xf64>
  func.return %a : tensor<2xf64>
}

// CHECK-LABEL: func.func @g
// CHECK-SAME:    (%x: tensor<2xf64>) -> tensor<2xf64>
// CHECK-NEXT:    %a = array.sin %x : tensor<2xf64>
// CHECK-NEXT:    func.return %a
