// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// The partial derivative is computed from operand or result; both modes multiply by it.

func.func @sin(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.sin %x : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @sin(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %0 = array.cos %x : tensor<4xf64>
// VJP-NEXT:    %1 = array.mul %cotangent, %0 : tensor<4xf64>
// VJP-NEXT:    func.return %1 : tensor<4xf64>

// JVP-LABEL: func.func @sin(%x: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.sin %x : tensor<4xf64>
// JVP-NEXT:    %0 = array.cos %x : tensor<4xf64>
// JVP-NEXT:    %1 = array.mul %x_tangent, %0 : tensor<4xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<4xf64>, tensor<4xf64>

// -----

// From the result, with no second exponential.

func.func @exp(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.exp %x : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @exp(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %y = array.exp %x : tensor<4xf64>
// VJP-NEXT:    %0 = array.mul %cotangent, %y : tensor<4xf64>
// VJP-NEXT:    func.return %0 : tensor<4xf64>

// JVP-LABEL: func.func @exp(%x: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.exp %x : tensor<4xf64>
// JVP-NEXT:    %0 = array.mul %x_tangent, %y : tensor<4xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<4xf64>, tensor<4xf64>

// -----

func.func @tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = array.tanh %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// VJP-LABEL: func.func @tanh(%x: tensor<4xf32>, %cotangent: tensor<4xf32>) -> tensor<4xf32>
// VJP-NEXT:    %y = array.tanh %x : tensor<4xf32>
// VJP-NEXT:    %0 = array.mul %y, %y : tensor<4xf32>
// VJP-NEXT:    %1 = array.constant dense<{{.*}}> : tensor<4xf32>
// VJP-NEXT:    %2 = array.sub %1, %0 : tensor<4xf32>
// VJP-NEXT:    %3 = array.mul %cotangent, %2 : tensor<4xf32>
// VJP-NEXT:    func.return %3 : tensor<4xf32>

// JVP-LABEL: func.func @tanh(%x: tensor<4xf32>, %x_tangent: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
// JVP-NEXT:    %y = array.tanh %x : tensor<4xf32>
// JVP-NEXT:    %0 = array.mul %y, %y : tensor<4xf32>
// JVP-NEXT:    %1 = array.constant dense<{{.*}}> : tensor<4xf32>
// JVP-NEXT:    %2 = array.sub %1, %0 : tensor<4xf32>
// JVP-NEXT:    %3 = array.mul %x_tangent, %2 : tensor<4xf32>
// JVP-NEXT:    func.return %y, %3 : tensor<4xf32>, tensor<4xf32>

// -----

// No constant is made where addition does it.

func.func @sqrt(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.sqrt %x : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @sqrt(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %y = array.sqrt %x : tensor<4xf64>
// VJP-NEXT:    %0 = array.add %y, %y : tensor<4xf64>
// VJP-NEXT:    %1 = array.div %cotangent, %0 : tensor<4xf64>
// VJP-NEXT:    func.return %1 : tensor<4xf64>

// JVP-LABEL: func.func @sqrt(%x: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.sqrt %x : tensor<4xf64>
// JVP-NEXT:    %0 = array.add %y, %y : tensor<4xf64>
// JVP-NEXT:    %1 = array.div %x_tangent, %0 : tensor<4xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<4xf64>, tensor<4xf64>

// -----

// Both operands are the same: two contributions, summed.

func.func @square(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.mul %x, %x : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @square(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %0 = array.mul %cotangent, %x : tensor<4xf64>
// VJP-NEXT:    %1 = array.mul %cotangent, %x : tensor<4xf64>
// VJP-NEXT:    %2 = array.add %0, %1 : tensor<4xf64>
// VJP-NEXT:    func.return %2 : tensor<4xf64>

// JVP-LABEL: func.func @square(%x: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.mul %x, %x : tensor<4xf64>
// JVP-NEXT:    %0 = array.mul %x_tangent, %x : tensor<4xf64>
// JVP-NEXT:    %1 = array.mul %x_tangent, %x : tensor<4xf64>
// JVP-NEXT:    %2 = array.add %0, %1 : tensor<4xf64>
// JVP-NEXT:    func.return %y, %2 : tensor<4xf64>, tensor<4xf64>

// -----

// A select is linear in its choices: forward mode selects among tangents.

func.func @select(%x: tensor<4xf64>, %p: tensor<4xi1>) -> tensor<4xf64> {
  %z = array.sin %x : tensor<4xf64>
  %y = array.select %p, %x, %z : tensor<4xi1>, tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @select(%x: tensor<4xf64>, %p: tensor<4xi1>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<4xf64>
// VJP-NEXT:    %1 = array.select %p, %cotangent, %0 : tensor<4xi1>, tensor<4xf64>
// VJP-NEXT:    %2 = array.constant dense<0.000000e+00> : tensor<4xf64>
// VJP-NEXT:    %3 = array.select %p, %2, %cotangent : tensor<4xi1>, tensor<4xf64>
// VJP-NEXT:    %4 = array.cos %x : tensor<4xf64>
// VJP-NEXT:    %5 = array.mul %3, %4 : tensor<4xf64>
// VJP-NEXT:    %6 = array.add %1, %5 : tensor<4xf64>
// VJP-NEXT:    func.return %6 : tensor<4xf64>

// JVP-LABEL: func.func @select(%x: tensor<4xf64>, %p: tensor<4xi1>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %z = array.sin %x : tensor<4xf64>
// JVP-NEXT:    %y = array.select %p, %x, %z : tensor<4xi1>, tensor<4xf64>
// JVP-NEXT:    %0 = array.cos %x : tensor<4xf64>
// JVP-NEXT:    %1 = array.mul %x_tangent, %0 : tensor<4xf64>
// JVP-NEXT:    %2 = array.select %p, %x_tangent, %1 : tensor<4xi1>, tensor<4xf64>
// JVP-NEXT:    func.return %y, %2 : tensor<4xf64>, tensor<4xf64>

// -----

// A conversion is undone; one to an integer ends all derivatives.

func.func @convert(%x: tensor<4xf32>) -> (tensor<4xf64>, tensor<4xf32>) {
  %y = array.convert %x : tensor<4xf32> -> tensor<4xf64>
  %n = array.convert %x : tensor<4xf32> -> tensor<4xi32>
  %z = array.convert %n : tensor<4xi32> -> tensor<4xf32>
  func.return %y, %z : tensor<4xf64>, tensor<4xf32>
}

// VJP-LABEL: func.func @convert(%x: tensor<4xf32>, %cotangent: tensor<4xf64>, %cotangent_1: tensor<4xf32>) -> tensor<4xf32>
// VJP-NEXT:    %0 = array.convert %cotangent : tensor<4xf64> -> tensor<4xf32>
// VJP-NEXT:    func.return %0 : tensor<4xf32>

// JVP-LABEL: func.func @convert(%x: tensor<4xf32>, %x_tangent: tensor<4xf32>) -> (tensor<4xf64>, tensor<4xf32>, tensor<4xf64>, tensor<4xf32>)
// JVP-NEXT:    %y = array.convert %x : tensor<4xf32> -> tensor<4xf64>
// JVP-NEXT:    %n = array.convert %x : tensor<4xf32> -> tensor<4xi32>
// JVP-NEXT:    %z = array.convert %n : tensor<4xi32> -> tensor<4xf32>
// JVP-NEXT:    %0 = array.convert %x_tangent : tensor<4xf32> -> tensor<4xf64>
// JVP-NEXT:    %1 = array.constant dense<0.000000e+00> : tensor<4xf32>
// JVP-NEXT:    func.return %y, %z, %0, %1 : tensor<4xf64>, tensor<4xf32>, tensor<4xf64>, tensor<4xf32>
