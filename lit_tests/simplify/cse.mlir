// RUN: gradatim-opt %s -p array-cse --split-input-file | filecheck %s
// RUN: gradatim-opt %s -p array-cse --split-input-file --print-debuginfo | filecheck %s --check-prefix LOC

// Equal ops merge, and so do ops that become equal by it; the operands of a commutative op count in
// any order.

func.func @merged(%x: tensor<4xf64>, %y: tensor<4xf64>) -> tensor<4xf64> {
  %a = array.add %x, %y : tensor<4xf64> loc("model.py":1:1)
  %b = array.add %y, %x : tensor<4xf64> loc("model.py":2:1)
  %c = array.sin %a : tensor<4xf64>
  %d = array.sin %b : tensor<4xf64>
  %e = array.div %c, %d : tensor<4xf64>
  func.return %e : tensor<4xf64>
}

// CHECK-LABEL: func.func @merged
// CHECK-NEXT:    %a = array.add %x, %y
// CHECK-NEXT:    %c = array.sin %a
// CHECK-NEXT:    %e = array.div %c, %c
// CHECK-NEXT:    func.return %e

// LOC: %a = array.add {{.*}} loc(fused["model.py":1:1, "model.py":2:1])

// -----

// Different operands, order of a division, properties and result types are different ops.

func.func @kept(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %a = array.div %x, %y : tensor<2x2xf32>
  %b = array.div %y, %x : tensor<2x2xf32>
  %c = array.reduce add %a dims [0] : tensor<2x2xf32> -> tensor<2xf32>
  %d = array.reduce add %a dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %e = array.reduce max %a dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %f = array.broadcast %c dims [0] : tensor<2xf32> -> tensor<2x2xf32>
  %g = array.broadcast %c dims [1] : tensor<2xf32> -> tensor<2x2xf32>
  %h = array.convert %e : tensor<2xf32> -> tensor<2xi32>
  %i = array.convert %e : tensor<2xf32> -> tensor<2xi64>
  func.return %f, %g : tensor<2x2xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: array.div
// CHECK-COUNT-3: array.reduce
// CHECK-COUNT-2: array.broadcast
// CHECK-COUNT-2: array.convert

// -----

// Constants merge by their bits: zeros of both signs are two.

func.func @constants() -> (tensor<2xf64>, tensor<2xf64>, tensor<2xf64>) {
  %a = array.constant dense<0.0> : tensor<2xf64>
  %b = array.constant dense<-0.0> : tensor<2xf64>
  %c = array.constant dense<0.0> : tensor<2xf64>
  func.return %a, %b, %c : tensor<2xf64>, tensor<2xf64>, tensor<2xf64>
}

// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %a = array.constant dense<0.000000e+00>
// CHECK-NEXT:    %b = array.constant dense<-0.000000e+00>
// CHECK-NEXT:    func.return %a, %b, %a
