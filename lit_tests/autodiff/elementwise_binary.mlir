// RUN: gradatim-opt %s -p 'array-vjp{argnums=0,1 value=false},array-cse,array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p 'array-jvp{argnums=0,1},array-cse' --split-input-file | filecheck %s --check-prefix JVP

func.func @sub(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %z = array.sub %x, %y : tensor<f64>
  func.return %z : tensor<f64>
}

// VJP-LABEL: func.func @sub(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// VJP-NEXT:    %0 = array.neg %cotangent : tensor<f64>
// VJP-NEXT:    func.return %cotangent, %0 : tensor<f64>, tensor<f64>

// JVP-LABEL: func.func @sub(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %z = array.sub %x, %y : tensor<f64>
// JVP-NEXT:    %0 = array.neg %y_tangent : tensor<f64>
// JVP-NEXT:    %1 = array.add %x_tangent, %0 : tensor<f64>
// JVP-NEXT:    func.return %z, %1 : tensor<f64>, tensor<f64>

// -----

// One division serves both operands.

func.func @div(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %z = array.div %x, %y : tensor<f64>
  func.return %z : tensor<f64>
}

// VJP-LABEL: func.func @div(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// VJP-NEXT:    %z = array.div %x, %y : tensor<f64>
// VJP-NEXT:    %0 = array.div %cotangent, %y : tensor<f64>
// VJP-NEXT:    %1 = array.mul %0, %z : tensor<f64>
// VJP-NEXT:    %2 = array.neg %1 : tensor<f64>
// VJP-NEXT:    func.return %0, %2 : tensor<f64>, tensor<f64>

// JVP-LABEL: func.func @div(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %z = array.div %x, %y : tensor<f64>
// JVP-NEXT:    %0 = array.div %x_tangent, %y : tensor<f64>
// JVP-NEXT:    %1 = array.div %y_tangent, %y : tensor<f64>
// JVP-NEXT:    %2 = array.mul %1, %z : tensor<f64>
// JVP-NEXT:    %3 = array.neg %2 : tensor<f64>
// JVP-NEXT:    %4 = array.add %0, %3 : tensor<f64>
// JVP-NEXT:    func.return %z, %4 : tensor<f64>, tensor<f64>

// -----

// The larger operand takes the derivative; equal ones share it.

func.func @max(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %z = array.max %x, %y : tensor<f64>
  func.return %z : tensor<f64>
}

// VJP-LABEL: func.func @max(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// VJP-NEXT:    %0 = array.compare eq %x, %y : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %1 = array.constant dense<{{.*}}> : tensor<f64>
// VJP-NEXT:    %2 = array.mul %cotangent, %1 : tensor<f64>
// VJP-NEXT:    %3 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %4 = array.select %0, %2, %3 : tensor<i1>, tensor<f64>
// VJP-NEXT:    %5 = array.compare gt %x, %y : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %6 = array.select %5, %cotangent, %4 : tensor<i1>, tensor<f64>
// VJP-NEXT:    %7 = array.compare eq %y, %x : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %8 = array.select %7, %2, %3 : tensor<i1>, tensor<f64>
// VJP-NEXT:    %9 = array.compare gt %y, %x : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %10 = array.select %9, %cotangent, %8 : tensor<i1>, tensor<f64>
// VJP-NEXT:    func.return %6, %10 : tensor<f64>, tensor<f64>

// JVP-LABEL: func.func @max(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %z = array.max %x, %y : tensor<f64>
// JVP-NEXT:    %0 = array.compare eq %x, %y : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %1 = array.constant dense<{{.*}}> : tensor<f64>
// JVP-NEXT:    %2 = array.mul %x_tangent, %1 : tensor<f64>
// JVP-NEXT:    %3 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %4 = array.select %0, %2, %3 : tensor<i1>, tensor<f64>
// JVP-NEXT:    %5 = array.compare gt %x, %y : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %6 = array.select %5, %x_tangent, %4 : tensor<i1>, tensor<f64>
// JVP-NEXT:    %7 = array.compare eq %y, %x : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %8 = array.mul %y_tangent, %1 : tensor<f64>
// JVP-NEXT:    %9 = array.select %7, %8, %3 : tensor<i1>, tensor<f64>
// JVP-NEXT:    %10 = array.compare gt %y, %x : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %11 = array.select %10, %y_tangent, %9 : tensor<i1>, tensor<f64>
// JVP-NEXT:    %12 = array.add %6, %11 : tensor<f64>
// JVP-NEXT:    func.return %z, %12 : tensor<f64>, tensor<f64>

// -----

// Zero to the power zero is guarded by the exponent, the logarithm of zero by its operand.

func.func @pow(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %z = array.pow %x, %y : tensor<f64>
  func.return %z : tensor<f64>
}

// VJP-LABEL: func.func @pow(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// VJP-NEXT:    %z = array.pow %x, %y : tensor<f64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %1 = array.compare eq %y, %0 : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %2 = array.compare eq %x, %0 : tensor<f64> -> tensor<i1>
// VJP-NEXT:    %3 = array.and %1, %2 : tensor<i1>
// VJP-NEXT:    %4 = array.constant dense<{{.*}}> : tensor<f64>
// VJP-NEXT:    %5 = array.sub %y, %4 : tensor<f64>
// VJP-NEXT:    %6 = array.select %3, %y, %5 : tensor<i1>, tensor<f64>
// VJP-NEXT:    %7 = array.pow %x, %6 : tensor<f64>
// VJP-NEXT:    %8 = array.mul %y, %7 : tensor<f64>
// VJP-NEXT:    %9 = array.mul %cotangent, %8 : tensor<f64>
// VJP-NEXT:    %10 = array.select %2, %4, %x : tensor<i1>, tensor<f64>
// VJP-NEXT:    %11 = array.log %10 : tensor<f64>
// VJP-NEXT:    %12 = array.mul %z, %11 : tensor<f64>
// VJP-NEXT:    %13 = array.mul %cotangent, %12 : tensor<f64>
// VJP-NEXT:    func.return %9, %13 : tensor<f64>, tensor<f64>

// JVP-LABEL: func.func @pow(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %z = array.pow %x, %y : tensor<f64>
// JVP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %1 = array.compare eq %y, %0 : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %2 = array.compare eq %x, %0 : tensor<f64> -> tensor<i1>
// JVP-NEXT:    %3 = array.and %1, %2 : tensor<i1>
// JVP-NEXT:    %4 = array.constant dense<{{.*}}> : tensor<f64>
// JVP-NEXT:    %5 = array.sub %y, %4 : tensor<f64>
// JVP-NEXT:    %6 = array.select %3, %y, %5 : tensor<i1>, tensor<f64>
// JVP-NEXT:    %7 = array.pow %x, %6 : tensor<f64>
// JVP-NEXT:    %8 = array.mul %y, %7 : tensor<f64>
// JVP-NEXT:    %9 = array.mul %x_tangent, %8 : tensor<f64>
// JVP-NEXT:    %10 = array.select %2, %4, %x : tensor<i1>, tensor<f64>
// JVP-NEXT:    %11 = array.log %10 : tensor<f64>
// JVP-NEXT:    %12 = array.mul %z, %11 : tensor<f64>
// JVP-NEXT:    %13 = array.mul %y_tangent, %12 : tensor<f64>
// JVP-NEXT:    %14 = array.add %9, %13 : tensor<f64>
// JVP-NEXT:    func.return %z, %14 : tensor<f64>, tensor<f64>

// -----

// The sign of the second operand has derivative zero.

func.func @copy_sign(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %z = array.copy_sign %x, %y : tensor<f64>
  func.return %z : tensor<f64>
}

// VJP-LABEL: func.func @copy_sign(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// VJP-NEXT:    %z = array.copy_sign %x, %y : tensor<f64>
// VJP-NEXT:    %0 = array.sign %x : tensor<f64>
// VJP-NEXT:    %1 = array.sign %z : tensor<f64>
// VJP-NEXT:    %2 = array.mul %0, %1 : tensor<f64>
// VJP-NEXT:    %3 = array.mul %cotangent, %2 : tensor<f64>
// VJP-NEXT:    %4 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    func.return %3, %4 : tensor<f64>, tensor<f64>

// JVP-LABEL: func.func @copy_sign(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %z = array.copy_sign %x, %y : tensor<f64>
// JVP-NEXT:    %0 = array.sign %x : tensor<f64>
// JVP-NEXT:    %1 = array.sign %z : tensor<f64>
// JVP-NEXT:    %2 = array.mul %0, %1 : tensor<f64>
// JVP-NEXT:    %3 = array.mul %x_tangent, %2 : tensor<f64>
// JVP-NEXT:    func.return %z, %3 : tensor<f64>, tensor<f64>
