// RUN: gradatim-opt %s -p 'array-vjp{argnums=0,1 value=false},array-dce' --split-input-file | filecheck %s

// Writing: what is written has the cotangents of its place, and what is replaced none.

// The window has no part in what was there.

func.func @update(%x: tensor<5xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<5xf64> {
  %y = array.dynamic_update_slice %x[%i], %u : tensor<5xf64>, tensor<2xf64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @update(%x: tensor<5xf64>, %u: tensor<2xf64>, %i: tensor<i64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<2xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<2xf64>
// CHECK-NEXT:    %1 = array.dynamic_update_slice %cotangent[%i], %0 : tensor<5xf64>, tensor<2xf64>
// CHECK-NEXT:    %2 = array.dynamic_slice %cotangent[%i] : tensor<5xf64> -> tensor<2xf64>
// CHECK-NEXT:    func.return %1, %2 : tensor<5xf64>, tensor<2xf64>

// -----

// Updates out of range have no cotangent.

func.func @add(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter add %x[%i], %u dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @add(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<3xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:    %1 = array.compare ge %i, %0 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %2 = array.constant dense<5> : tensor<3xi64>
// CHECK-NEXT:    %3 = array.compare lt %i, %2 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %4 = array.and %1, %3 : tensor<3xi1>
// CHECK-NEXT:    %5 = array.gather %cotangent[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %6 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %7 = array.select %4, %5, %6 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:    func.return %cotangent, %7 : tensor<5xf64>, tensor<3xf64>

// -----

// Of several updates of an element the last one has its cotangent.

func.func @set(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter set %x[%i], %u dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @set(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<3xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %1 = array.scatter set %cotangent[%i], %0 dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    %2 = array.iota dim 0 : tensor<3xi64>
// CHECK-NEXT:    %3 = array.constant dense<-1> : tensor<5xi64>
// CHECK-NEXT:    %4 = array.scatter set %3[%i], %2 dims [0] : tensor<5xi64>, tensor<3xi64>, tensor<3xi64>
// CHECK-NEXT:    %5 = array.gather %4[%i] dims [0] : tensor<5xi64>, tensor<3xi64> -> tensor<3xi64>
// CHECK-NEXT:    %6 = array.compare eq %5, %2 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %7 = array.gather %cotangent[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %8 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %9 = array.select %6, %7, %8 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:    func.return %1, %9 : tensor<5xf64>, tensor<3xf64>

// -----

// Where all positions differ, each one in range has.

func.func @set_unique(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter set %x[%i], %u dims [0] unique : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @set_unique(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<3xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %1 = array.scatter set %cotangent[%i], %0 dims [0] unique : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    %2 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:    %3 = array.compare ge %i, %2 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %4 = array.constant dense<5> : tensor<3xi64>
// CHECK-NEXT:    %5 = array.compare lt %i, %4 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %6 = array.and %3, %5 : tensor<3xi1>
// CHECK-NEXT:    %7 = array.gather %cotangent[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %8 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %9 = array.select %6, %7, %8 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:    func.return %1, %9 : tensor<5xf64>, tensor<3xf64>

// -----

// Products of distinct elements are written out.

func.func @mul(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter mul %x[%i], %u dims [0] unique : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @mul(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<3xf64>)
// CHECK-NEXT:    %0 = array.gather %x[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %1 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %2 = array.scatter set %cotangent[%i], %1 dims [0] unique : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    %3 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:    %4 = array.compare ge %i, %3 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %5 = array.constant dense<5> : tensor<3xi64>
// CHECK-NEXT:    %6 = array.compare lt %i, %5 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %7 = array.and %4, %6 : tensor<3xi1>
// CHECK-NEXT:    %8 = array.gather %cotangent[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %9 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %10 = array.select %7, %8, %9 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:    %11 = array.mul %10, %u : tensor<3xf64>
// CHECK-NEXT:    %12 = array.mul %10, %0 : tensor<3xf64>
// CHECK-NEXT:    %13 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:    %14 = array.constant dense<4> : tensor<3xi64>
// CHECK-NEXT:    %15 = array.clamp %13, %i, %14 : tensor<3xi64>
// CHECK-NEXT:    %16 = array.scatter add %2[%15], %11 dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    func.return %16, %12 : tensor<5xf64>, tensor<3xf64>

// -----

// Elements and updates that equal the result share its cotangent.

func.func @max(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter max %x[%i], %u dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @max(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>, %cotangent: tensor<5xf64>) -> (tensor<5xf64>, tensor<3xf64>)
// CHECK-NEXT:    %y = array.scatter max %x[%i], %u dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    %0 = array.compare eq %x, %y : tensor<5xf64> -> tensor<5xi1>
// CHECK-NEXT:    %1 = array.compare ne %x, %x : tensor<5xf64> -> tensor<5xi1>
// CHECK-NEXT:    %2 = array.or %0, %1 : tensor<5xi1>
// CHECK-NEXT:    %3 = array.gather %y[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %4 = array.compare eq %u, %3 : tensor<3xf64> -> tensor<3xi1>
// CHECK-NEXT:    %5 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:    %6 = array.compare ge %i, %5 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %7 = array.constant dense<5> : tensor<3xi64>
// CHECK-NEXT:    %8 = array.compare lt %i, %7 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:    %9 = array.and %6, %8 : tensor<3xi1>
// CHECK-NEXT:    %10 = array.and %4, %9 : tensor<3xi1>
// CHECK-NEXT:    %11 = array.convert %2 : tensor<5xi1> -> tensor<5xf64>
// CHECK-NEXT:    %12 = array.convert %10 : tensor<3xi1> -> tensor<3xf64>
// CHECK-NEXT:    %13 = array.scatter add %11[%i], %12 dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    %14 = array.constant dense<1.000000e+00> : tensor<5xf64>
// CHECK-NEXT:    %15 = array.max %13, %14 : tensor<5xf64>
// CHECK-NEXT:    %16 = array.div %cotangent, %15 : tensor<5xf64>
// CHECK-NEXT:    %17 = array.gather %16[%i] dims [0] : tensor<5xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %18 = array.constant dense<0.000000e+00> : tensor<5xf64>
// CHECK-NEXT:    %19 = array.select %2, %16, %18 : tensor<5xi1>, tensor<5xf64>
// CHECK-NEXT:    %20 = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %21 = array.select %10, %17, %20 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:    func.return %19, %21 : tensor<5xf64>, tensor<3xf64>
