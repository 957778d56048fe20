// RUN: gradatim-opt %s -p 'array-jvp{function=f argnums=0,2}' | filecheck %s --check-prefix=JVP
// RUN: gradatim-opt %s -p 'array-vjp{function=f argnums=0,2}' | filecheck %s --check-prefix=VJP
// RUN: gradatim-opt %s -p 'array-vjp{function=rows}' | filecheck %s --check-prefix=ROWS

// Tangents are permuted as the values are, and cotangents put back where the values came from.

func.func @f(%x: tensor<4xf64>, %y: tensor<4xi32>, %z: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
  %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2 : tensor<4xf64>, tensor<4xi32>, tensor<4xf64> -> tensor<4xf64>, tensor<4xi32>, tensor<4xf64>, tensor<4xi64>
  func.return %a, %c : tensor<4xf64>, tensor<4xf64>
}

// JVP-LABEL: func.func @f
// JVP-NEXT:    %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2
// JVP-NEXT:    [[X:%.*]] = array.gather %x_tangent[%p] dims [0]
// JVP-NEXT:    [[Z:%.*]] = array.gather %z_tangent[%p] dims [0]
// JVP-NEXT:    func.return %a, %c, [[X]], [[Z]]

// VJP-LABEL: func.func @f
// VJP-NEXT:    %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2
// VJP-NEXT:    [[ZERO:%.*]] = array.constant dense<0.000000e+00> : tensor<4xf64>
// VJP-NEXT:    [[X:%.*]] = array.scatter set [[ZERO]][%p], %cotangent dims [0] unique
// VJP-NEXT:    array.constant
// VJP-NEXT:    [[Z:%.*]] = array.scatter set {{.*}}[%p], %cotangent_1 dims [0] unique
// VJP-NEXT:    func.return %a, %c, [[X]], [[Z]]

// Along other dimensions each element stays where it is.

func.func @rows(%x: tensor<2x4xf64>) -> tensor<2x4xf64> {
  %a, %p = array.sort %x dim 1 keys 1 : tensor<2x4xf64> -> tensor<2x4xf64>, tensor<2x4xi64>
  func.return %a : tensor<2x4xf64>
}

// ROWS-LABEL: func.func @rows
// ROWS-NEXT:    %a, %p = array.sort %x dim 1 keys 1
// ROWS-NEXT:    [[I:%.*]] = array.iota dim 0 : tensor<2x4xi64>
// ROWS-NEXT:    [[ZERO:%.*]] = array.constant
// ROWS-NEXT:    [[X:%.*]] = array.scatter set [[ZERO]][[[I]], %p], %cotangent dims [0, 1] unique
// ROWS-NEXT:    func.return %a, [[X]]
