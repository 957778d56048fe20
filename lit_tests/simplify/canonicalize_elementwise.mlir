// RUN: gradatim-opt %s -p array-canonicalize | filecheck %s

// Neutral and absorbing constants.

func.func @neutral(%x: tensor<4xf64>, %i: tensor<4xi32>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xi32>, tensor<4xi32>) {
  %one = array.constant dense<1.0> : tensor<4xf64>
  %zero = array.constant dense<0.0> : tensor<4xf64>
  %minus_zero = array.constant dense<-0.0> : tensor<4xf64>
  %izero = array.constant dense<0> : tensor<4xi32>
  %a = array.mul %one, %x : tensor<4xf64>
  %b = array.div %x, %one : tensor<4xf64>
  %c = array.sub %x, %zero : tensor<4xf64>
  %d = array.add %minus_zero, %x : tensor<4xf64>
  %e = array.add %i, %izero : tensor<4xi32>
  %f = array.sub %i, %izero : tensor<4xi32>
  func.return %a, %b, %c, %d, %e, %f : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xi32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @neutral
// CHECK-NEXT:    func.return %x, %x, %x, %x, %i, %i

// x + 0.0 turns -0.0 into 0.0, x - (-0.0) too; 0.0 - x is not -x where x is 0; x * 0.0 may be NaN.

func.func @signed_zeros_stay(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %zero = array.constant dense<0.0> : tensor<4xf64>
  %minus_zero = array.constant dense<-0.0> : tensor<4xf64>
  %a = array.add %x, %zero : tensor<4xf64>
  %b = array.sub %x, %minus_zero : tensor<4xf64>
  %c = array.sub %zero, %x : tensor<4xf64>
  %d = array.mul %x, %zero : tensor<4xf64>
  func.return %a, %b, %c, %d : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @signed_zeros_stay
// CHECK-NEXT:    %zero = array.constant dense<0.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %minus_zero = array.constant dense<-0.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %a = array.add %x, %zero : tensor<4xf64>
// CHECK-NEXT:    %b = array.sub %x, %minus_zero : tensor<4xf64>
// CHECK-NEXT:    %c = array.sub %zero, %x : tensor<4xf64>
// CHECK-NEXT:    %d = array.mul %x, %zero : tensor<4xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d

// A complex product with 1 makes NaN of infinities.

func.func @complex_one_stays(%z: tensor<complex<f64>>) -> (tensor<complex<f64>>, tensor<complex<f64>>) {
  %one = array.constant dense<(1.0, 0.0)> : tensor<complex<f64>>
  %zero = array.constant dense<(-0.0, -0.0)> : tensor<complex<f64>>
  %a = array.mul %z, %one : tensor<complex<f64>>
  %b = array.add %z, %zero : tensor<complex<f64>>
  func.return %a, %b : tensor<complex<f64>>, tensor<complex<f64>>
}

// CHECK-LABEL: func.func @complex_one_stays
// CHECK-NEXT:    %one = array.constant dense<(1.000000e+00,0.000000e+00)> : tensor<complex<f64>>
// CHECK-NEXT:    %a = array.mul %z, %one : tensor<complex<f64>>
// CHECK-NEXT:    func.return %a, %z

func.func @integers(%i: tensor<4xi32>, %u: tensor<4xui8>) -> (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xui8>, tensor<4xi32>, tensor<4xi32>) {
  %zero = array.constant dense<0> : tensor<4xi32>
  %one = array.constant dense<1> : tensor<4xi32>
  %minus_one = array.constant dense<-1> : tensor<4xi32>
  %top = array.constant dense<255> : tensor<4xui8>
  %two = array.constant dense<2> : tensor<4xi32>
  %three = array.constant dense<3> : tensor<4xi32>
  %a = array.mul %i, %zero : tensor<4xi32>
  %b = array.mul %i, %minus_one : tensor<4xi32>
  %c = array.rem %i, %one : tensor<4xi32>
  %d = array.mul %u, %top : tensor<4xui8>
  %e = array.sub %zero, %i : tensor<4xi32>
  %f = array.add %two, %i : tensor<4xi32>
  %g = array.add %f, %three : tensor<4xi32>
  func.return %a, %b, %c, %d, %e, %g : tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xui8>, tensor<4xi32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @integers
// CHECK-NEXT:    %zero = array.constant dense<0> : tensor<4xi32>
// CHECK-NEXT:    %top = array.constant dense<255> : tensor<4xui8>
// CHECK-NEXT:    %b = array.neg %i : tensor<4xi32>
// CHECK-NEXT:    %d = array.mul %u, %top : tensor<4xui8>
// CHECK-NEXT:    %0 = array.constant dense<5> : tensor<4xi32>
// CHECK-NEXT:    %g = array.add %i, %0 : tensor<4xi32>
// CHECK-NEXT:    func.return %zero, %b, %zero, %d, %b, %g

// Additions of floats do not reassociate.

func.func @no_reassociation(%x: tensor<4xf64>) -> tensor<4xf64> {
  %a = array.constant dense<1.0e10> : tensor<4xf64>
  %b = array.constant dense<-1.0e10> : tensor<4xf64>
  %c = array.add %a, %x : tensor<4xf64>
  %d = array.add %c, %b : tensor<4xf64>
  func.return %d : tensor<4xf64>
}

// CHECK-LABEL: func.func @no_reassociation
// CHECK-NEXT:    %a = array.constant dense<1.000000e+10> : tensor<4xf64>
// CHECK-NEXT:    %b = array.constant dense<-1.000000e+10> : tensor<4xf64>
// CHECK-NEXT:    %c = array.add %x, %a : tensor<4xf64>
// CHECK-NEXT:    %d = array.add %c, %b : tensor<4xf64>
// CHECK-NEXT:    func.return %d

// Division by a power of two is exact as a product, unless the reciprocal overflows.

func.func @division(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %four = array.constant dense<-4.0> : tensor<4xf64>
  %three = array.constant dense<3.0> : tensor<4xf64>
  %tiny = array.constant dense<5.0e-324> : tensor<4xf64>
  %minus_one = array.constant dense<-1.0> : tensor<4xf64>
  %a = array.div %x, %four : tensor<4xf64>
  %b = array.div %x, %three : tensor<4xf64>
  %c = array.div %x, %tiny : tensor<4xf64>
  %d = array.div %x, %minus_one : tensor<4xf64>
  func.return %a, %b, %c, %d : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @division
// CHECK-NEXT:    %three = array.constant dense<3.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %tiny = array.constant dense<4.940660e-324> : tensor<4xf64>
// CHECK-NEXT:    %0 = array.constant dense<-2.500000e-01> : tensor<4xf64>
// CHECK-NEXT:    %a = array.mul %x, %0 : tensor<4xf64>
// CHECK-NEXT:    %b = array.div %x, %three : tensor<4xf64>
// CHECK-NEXT:    %c = array.div %x, %tiny : tensor<4xf64>
// CHECK-NEXT:    %d = array.neg %x : tensor<4xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d

// Small whole powers are products; the square root differs from pow at -0.0 and -inf.

func.func @powers(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %zero = array.constant dense<0.0> : tensor<4xf64>
  %one = array.constant dense<1.0> : tensor<4xf64>
  %two = array.constant dense<2.0> : tensor<4xf64>
  %three = array.constant dense<3.0> : tensor<4xf64>
  %minus_one = array.constant dense<-1.0> : tensor<4xf64>
  %half = array.constant dense<0.5> : tensor<4xf64>
  %four = array.constant dense<4.0> : tensor<4xf64>
  %a = array.pow %x, %zero : tensor<4xf64>
  %b = array.pow %x, %one : tensor<4xf64>
  %c = array.pow %x, %two : tensor<4xf64>
  %d = array.pow %x, %three : tensor<4xf64>
  %e = array.pow %x, %minus_one : tensor<4xf64>
  %f = array.pow %x, %half : tensor<4xf64>
  %g = array.pow %x, %four : tensor<4xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @powers
// CHECK-NEXT:    %one = array.constant dense<1.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %half = array.constant dense<5.000000e-01> : tensor<4xf64>
// CHECK-NEXT:    %four = array.constant dense<4.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %c = array.mul %x, %x : tensor<4xf64>
// CHECK-NEXT:    %d = array.mul %c, %x : tensor<4xf64>
// CHECK-NEXT:    %e = array.div %one, %x : tensor<4xf64>
// CHECK-NEXT:    %f = array.pow %x, %half : tensor<4xf64>
// CHECK-NEXT:    %g = array.pow %x, %four : tensor<4xf64>
// CHECK-NEXT:    func.return %one, %x, %c, %d, %e, %f, %g

// Halves of whole numbers take a square root; minus infinity, whose root is NaN, is chosen apart.
func.func @roots(%x: tensor<4xf64>) -> tensor<4xf64> {
  %c = array.constant dense<-1.5> : tensor<4xf64>
  %y = array.pow %x, %c : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @roots
// CHECK-NOT:     array.pow
// CHECK:         [[P:%.*]] = array.add %x
// CHECK:         array.sqrt [[P]]
// CHECK:         array.select

func.func @limits(%x: tensor<4xf64>, %u: tensor<4xui8>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xui8>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %inf = array.constant dense<"0x000000000000F07F"> : tensor<4xf64>
  %minus_inf = array.constant dense<"0x000000000000F0FF"> : tensor<4xf64>
  %one = array.constant dense<1.0> : tensor<4xf64>
  %zero = array.constant dense<0> : tensor<4xui8>
  %a = array.max %x, %minus_inf : tensor<4xf64>
  %b = array.min %x, %inf : tensor<4xf64>
  %c = array.max %x, %inf : tensor<4xf64>
  %d = array.max %u, %zero : tensor<4xui8>
  %e = array.clamp %minus_inf, %x, %one : tensor<4xf64>
  %f = array.clamp %one, %x, %inf : tensor<4xf64>
  %g = array.max %x, %x : tensor<4xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xui8>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @limits
// CHECK-NEXT:    %inf = array.constant dense<"0x000000000000F07F"> : tensor<4xf64>
// CHECK-NEXT:    %one = array.constant dense<1.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %c = array.max %x, %inf : tensor<4xf64>
// CHECK-NEXT:    %e = array.min %x, %one : tensor<4xf64>
// CHECK-NEXT:    %f = array.max %x, %one : tensor<4xf64>
// CHECK-NEXT:    func.return %x, %x, %c, %u, %e, %f, %x

func.func @bits(%i: tensor<4xi32>, %p: tensor<4xi1>) -> (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi1>, tensor<4xi1>, tensor<4xi32>, tensor<4xi32>) {
  %zero = array.constant dense<0> : tensor<4xi32>
  %ones = array.constant dense<-1> : tensor<4xi32>
  %true = array.constant dense<true> : tensor<4xi1>
  %a = array.and %i, %zero : tensor<4xi32>
  %b = array.and %i, %ones : tensor<4xi32>
  %c = array.or %i, %ones : tensor<4xi32>
  %d = array.xor %i, %ones : tensor<4xi32>
  %e = array.xor %p, %true : tensor<4xi1>
  %f = array.or %p, %p : tensor<4xi1>
  %g = array.xor %i, %i : tensor<4xi32>
  %h = array.not %d : tensor<4xi32>
  func.return %a, %b, %c, %d, %e, %f, %g, %h : tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi1>, tensor<4xi1>, tensor<4xi32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @bits
// CHECK-NEXT:    %zero = array.constant dense<0> : tensor<4xi32>
// CHECK-NEXT:    %ones = array.constant dense<-1> : tensor<4xi32>
// CHECK-NEXT:    %d = array.not %i : tensor<4xi32>
// CHECK-NEXT:    %e = array.not %p : tensor<4xi1>
// CHECK-NEXT:    func.return %zero, %i, %ones, %d, %e, %p, %zero, %i

// Amounts are read as unsigned; an arithmetic shift by the width or more leaves copies of the sign.

func.func @shifts(%i: tensor<4xi32>) -> (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>) {
  %zero = array.constant dense<0> : tensor<4xi32>
  %width = array.constant dense<32> : tensor<4xi32>
  %minus_one = array.constant dense<-1> : tensor<4xi32>
  %a = array.shift_left %i, %zero : tensor<4xi32>
  %b = array.shift_left %i, %width : tensor<4xi32>
  %c = array.shift_right_logical %i, %minus_one : tensor<4xi32>
  %d = array.shift_right_arithmetic %i, %width : tensor<4xi32>
  func.return %a, %b, %c, %d : tensor<4xi32>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @shifts
// CHECK-NEXT:    %zero = array.constant dense<0> : tensor<4xi32>
// CHECK-NEXT:    %width = array.constant dense<32> : tensor<4xi32>
// CHECK-NEXT:    %d = array.shift_right_arithmetic %i, %width : tensor<4xi32>
// CHECK-NEXT:    func.return %i, %zero, %zero, %d

// Signs cancel, or move into constants and subtractions.

func.func @signs(%x: tensor<4xf64>, %y: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %c = array.constant dense<3.0> : tensor<4xf64>
  %minus_one = array.constant dense<-1.0> : tensor<4xf64>
  %p = array.neg %x : tensor<4xf64>
  %q = array.neg %y : tensor<4xf64>
  %r0 = array.neg %p : tensor<4xf64>
  %r1 = array.add %p, %y : tensor<4xf64>
  %r2 = array.add %x, %q : tensor<4xf64>
  %r3 = array.sub %x, %q : tensor<4xf64>
  %r4 = array.mul %p, %q : tensor<4xf64>
  %r5 = array.mul %c, %p : tensor<4xf64>
  %r6 = array.div %p, %c : tensor<4xf64>
  %m = array.mul %x, %c : tensor<4xf64>
  %r7 = array.neg %m : tensor<4xf64>
  %r8 = array.mul %x, %minus_one : tensor<4xf64>
  func.return %r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8 : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @signs
// CHECK-NEXT:    %p = array.neg %x : tensor<4xf64>
// CHECK-NEXT:    %r1 = array.sub %y, %x : tensor<4xf64>
// CHECK-NEXT:    %r2 = array.sub %x, %y : tensor<4xf64>
// CHECK-NEXT:    %r3 = array.add %x, %y : tensor<4xf64>
// CHECK-NEXT:    %r4 = array.mul %x, %y : tensor<4xf64>
// CHECK-NEXT:    %0 = array.constant dense<-3.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %r5 = array.mul %x, %0 : tensor<4xf64>
// CHECK-NEXT:    %r6 = array.div %x, %0 : tensor<4xf64>
// CHECK-NEXT:    func.return %x, %r1, %r2, %r3, %r4, %r5, %r6, %r5, %p

// -(x - y) is y - x for integers; for floats not where x is y.

func.func @negated_difference(%x: tensor<4xf64>, %y: tensor<4xf64>, %i: tensor<4xi32>, %j: tensor<4xi32>) -> (tensor<4xf64>, tensor<4xi32>) {
  %a = array.sub %x, %y : tensor<4xf64>
  %b = array.neg %a : tensor<4xf64>
  %c = array.sub %i, %j : tensor<4xi32>
  %d = array.neg %c : tensor<4xi32>
  func.return %b, %d : tensor<4xf64>, tensor<4xi32>
}

// CHECK-LABEL: func.func @negated_difference
// CHECK-NEXT:    %a = array.sub %x, %y : tensor<4xf64>
// CHECK-NEXT:    %b = array.neg %a : tensor<4xf64>
// CHECK-NEXT:    %d = array.sub %j, %i : tensor<4xi32>
// CHECK-NEXT:    func.return %b, %d

func.func @magnitudes(%x: tensor<4xf64>, %y: tensor<4xf64>, %u: tensor<4xui8>, %z: tensor<complex<f64>>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xui8>, tensor<f64>) {
  %minus_two = array.constant dense<-2.0> : tensor<4xf64>
  %n = array.neg %x : tensor<4xf64>
  %m = array.abs %x : tensor<4xf64> -> tensor<4xf64>
  %a = array.abs %n : tensor<4xf64> -> tensor<4xf64>
  %b = array.abs %m : tensor<4xf64> -> tensor<4xf64>
  %c = array.mul %m, %m : tensor<4xf64>
  %d = array.cos %n : tensor<4xf64>
  %e = array.copy_sign %n, %y : tensor<4xf64>
  %f = array.copy_sign %x, %minus_two : tensor<4xf64>
  %v = array.neg %u : tensor<4xui8>
  %g = array.abs %v : tensor<4xui8> -> tensor<4xui8>
  %w = array.abs %z : tensor<complex<f64>> -> tensor<f64>
  %h = array.mul %w, %w : tensor<f64>
  func.return %a, %b, %c, %d, %e, %f, %g, %h : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xui8>, tensor<f64>
}

// CHECK-LABEL: func.func @magnitudes
// CHECK-NEXT:    %m = array.abs %x : tensor<4xf64> -> tensor<4xf64>
// CHECK-NEXT:    %c = array.mul %x, %x : tensor<4xf64>
// CHECK-NEXT:    %d = array.cos %x : tensor<4xf64>
// CHECK-NEXT:    %e = array.copy_sign %x, %y : tensor<4xf64>
// CHECK-NEXT:    %f = array.neg %m : tensor<4xf64>
// CHECK-NEXT:    %v = array.neg %u : tensor<4xui8>
// CHECK-NEXT:    %g = array.abs %v : tensor<4xui8> -> tensor<4xui8>
// CHECK-NEXT:    %w = array.abs %z : tensor<complex<f64>> -> tensor<f64>
// CHECK-NEXT:    %h = array.mul %w, %w : tensor<f64>
// CHECK-NEXT:    func.return %m, %m, %c, %d, %e, %f, %g, %h

func.func @roundings(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
  %a = array.floor %x : tensor<4xf64>
  %b = array.ceil %a : tensor<4xf64>
  %c = array.round_even %b : tensor<4xf64>
  %d = array.neg %a : tensor<4xf64>
  %e = array.floor %d : tensor<4xf64>
  func.return %c, %e : tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @roundings
// CHECK-NEXT:    %a = array.floor %x : tensor<4xf64>
// CHECK-NEXT:    %d = array.neg %a : tensor<4xf64>
// CHECK-NEXT:    %e = array.floor %d : tensor<4xf64>
// CHECK-NEXT:    func.return %a, %e

// Comparisons have their constant at the right; with itself, a number that may be NaN is not equal.

func.func @comparisons(%x: tensor<4xf64>, %i: tensor<4xi32>, %u: tensor<4xui8>, %p: tensor<4xi1>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %c = array.constant dense<2.0> : tensor<4xf64>
  %zero = array.constant dense<0> : tensor<4xui8>
  %false = array.constant dense<false> : tensor<4xi1>
  %r0 = array.compare lt %c, %x : tensor<4xf64> -> tensor<4xi1>
  %r1 = array.compare eq %x, %x : tensor<4xf64> -> tensor<4xi1>
  %r2 = array.compare gt %x, %x : tensor<4xf64> -> tensor<4xi1>
  %r3 = array.compare le %i, %i : tensor<4xi32> -> tensor<4xi1>
  %r4 = array.compare ge %u, %zero : tensor<4xui8> -> tensor<4xi1>
  %r5 = array.compare ne %p, %false : tensor<4xi1> -> tensor<4xi1>
  %r6 = array.compare eq %p, %false : tensor<4xi1> -> tensor<4xi1>
  func.return %r0, %r1, %r2, %r3, %r4, %r5, %r6 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// CHECK-LABEL: func.func @comparisons
// CHECK-NEXT:    %c = array.constant dense<2.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %false = array.constant dense<false> : tensor<4xi1>
// CHECK-NEXT:    %r0 = array.compare gt %x, %c : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    %r1 = array.compare eq %x, %x : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    %r3 = array.constant dense<true> : tensor<4xi1>
// CHECK-NEXT:    %r6 = array.not %p : tensor<4xi1>
// CHECK-NEXT:    func.return %r0, %r1, %false, %r3, %r3, %p, %r6

// not (x < y) is x >= y, but not of floats: both are false for NaN.

func.func @negated_comparisons(%x: tensor<4xf64>, %y: tensor<4xf64>, %i: tensor<4xi32>, %j: tensor<4xi32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %a = array.compare eq %x, %y : tensor<4xf64> -> tensor<4xi1>
  %b = array.compare lt %x, %y : tensor<4xf64> -> tensor<4xi1>
  %c = array.compare lt %i, %j : tensor<4xi32> -> tensor<4xi1>
  %d = array.not %a : tensor<4xi1>
  %e = array.not %b : tensor<4xi1>
  %f = array.not %c : tensor<4xi1>
  func.return %d, %e, %f : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// CHECK-LABEL: func.func @negated_comparisons
// CHECK-NEXT:    %b = array.compare lt %x, %y : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    %d = array.compare ne %x, %y : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    %e = array.not %b : tensor<4xi1>
// CHECK-NEXT:    %f = array.compare ge %i, %j : tensor<4xi32> -> tensor<4xi1>
// CHECK-NEXT:    func.return %d, %e, %f

func.func @selections(%p: tensor<4xi1>, %q: tensor<4xi1>, %x: tensor<4xf64>, %y: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xi1>, tensor<4xi1>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %true = array.constant dense<true> : tensor<4xi1>
  %false = array.constant dense<false> : tensor<4xi1>
  %a = array.select %false, %x, %y : tensor<4xi1>, tensor<4xf64>
  %b = array.select %p, %x, %x : tensor<4xi1>, tensor<4xf64>
  %c = array.select %p, %true, %false : tensor<4xi1>, tensor<4xi1>
  %d = array.select %p, %false, %true : tensor<4xi1>, tensor<4xi1>
  %n = array.not %p : tensor<4xi1>
  %e = array.select %n, %x, %y : tensor<4xi1>, tensor<4xf64>
  %s = array.select %p, %x, %y : tensor<4xi1>, tensor<4xf64>
  %z = array.neg %x : tensor<4xf64>
  %f = array.select %p, %z, %s : tensor<4xi1>, tensor<4xf64>
  %g = array.select %q, %s, %z : tensor<4xi1>, tensor<4xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<4xf64>, tensor<4xf64>, tensor<4xi1>, tensor<4xi1>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @selections
// CHECK-NEXT:    %d = array.not %p : tensor<4xi1>
// CHECK-NEXT:    %e = array.select %p, %y, %x : tensor<4xi1>, tensor<4xf64>
// CHECK-NEXT:    %s = array.select %p, %x, %y : tensor<4xi1>, tensor<4xf64>
// CHECK-NEXT:    %z = array.neg %x : tensor<4xf64>
// CHECK-NEXT:    %f = array.select %p, %z, %y : tensor<4xi1>, tensor<4xf64>
// CHECK-NEXT:    %g = array.select %q, %s, %z : tensor<4xi1>, tensor<4xf64>
// CHECK-NEXT:    func.return %y, %x, %p, %d, %e, %f, %g

// The first of two conversions vanishes if it loses nothing.

func.func @conversions(%f: tensor<4xf32>, %i: tensor<4xi32>, %b: tensor<4xi8>, %p: tensor<4xi1>) -> (tensor<4xf32>, tensor<4xi8>, tensor<4xf32>, tensor<4xi64>, tensor<4xi8>) {
  %0 = array.convert %f : tensor<4xf32> -> tensor<4xf64>
  %r0 = array.convert %0 : tensor<4xf64> -> tensor<4xf32>
  %1 = array.convert %i : tensor<4xi32> -> tensor<4xi16>
  %r1 = array.convert %1 : tensor<4xi16> -> tensor<4xi8>
  %2 = array.convert %i : tensor<4xi32> -> tensor<4xf64>
  %r2 = array.convert %2 : tensor<4xf64> -> tensor<4xf32>
  %3 = array.convert %b : tensor<4xi8> -> tensor<4xf32>
  %r3 = array.convert %3 : tensor<4xf32> -> tensor<4xi64>
  %4 = array.convert %p : tensor<4xi1> -> tensor<4xi32>
  %r4 = array.convert %4 : tensor<4xi32> -> tensor<4xi8>
  func.return %r0, %r1, %r2, %r3, %r4 : tensor<4xf32>, tensor<4xi8>, tensor<4xf32>, tensor<4xi64>, tensor<4xi8>
}

// CHECK-LABEL: func.func @conversions
// CHECK-NEXT:    %r1 = array.convert %i : tensor<4xi32> -> tensor<4xi8>
// CHECK-NEXT:    %r2 = array.convert %i : tensor<4xi32> -> tensor<4xf32>
// CHECK-NEXT:    %r3 = array.convert %b : tensor<4xi8> -> tensor<4xi64>
// CHECK-NEXT:    %r4 = array.convert %p : tensor<4xi1> -> tensor<4xi8>
// CHECK-NEXT:    func.return %f, %r1, %r2, %r3, %r4

// f32 rounds an i32; floats saturate on their way to integers, where integers would wrap; all numbers
// but 0 are true.

func.func @conversions_that_lose(%i: tensor<4xi32>, %u: tensor<4xui32>, %f: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xi32>, tensor<4xf64>, tensor<4xi64>) {
  %0 = array.convert %i : tensor<4xi32> -> tensor<4xf32>
  %r0 = array.convert %0 : tensor<4xf32> -> tensor<4xf64>
  %1 = array.convert %u : tensor<4xui32> -> tensor<4xf64>
  %r1 = array.convert %1 : tensor<4xf64> -> tensor<4xi32>
  %2 = array.convert %f : tensor<4xf64> -> tensor<4xi1>
  %r2 = array.convert %2 : tensor<4xi1> -> tensor<4xf64>
  %3 = array.convert %i : tensor<4xi32> -> tensor<4xi16>
  %r3 = array.convert %3 : tensor<4xi16> -> tensor<4xi64>
  func.return %r0, %r1, %r2, %r3 : tensor<4xf64>, tensor<4xi32>, tensor<4xf64>, tensor<4xi64>
}

// CHECK-LABEL: func.func @conversions_that_lose
// CHECK-NEXT:    %0 = array.convert %i : tensor<4xi32> -> tensor<4xf32>
// CHECK-NEXT:    %r0 = array.convert %0 : tensor<4xf32> -> tensor<4xf64>
// CHECK-NEXT:    %1 = array.convert %u : tensor<4xui32> -> tensor<4xf64>
// CHECK-NEXT:    %r1 = array.convert %1 : tensor<4xf64> -> tensor<4xi32>
// CHECK-NEXT:    %2 = array.convert %f : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    %r2 = array.convert %2 : tensor<4xi1> -> tensor<4xf64>
// CHECK-NEXT:    %3 = array.convert %i : tensor<4xi32> -> tensor<4xi16>
// CHECK-NEXT:    %r3 = array.convert %3 : tensor<4xi16> -> tensor<4xi64>
// CHECK-NEXT:    func.return %r0, %r1, %r2, %r3

func.func @bit_casts(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xui32>) {
  %a = array.bitcast_convert %x : tensor<4xf32> -> tensor<4xi32>
  %b = array.bitcast_convert %a : tensor<4xi32> -> tensor<4xf32>
  %c = array.bitcast_convert %a : tensor<4xi32> -> tensor<4xui32>
  func.return %b, %c : tensor<4xf32>, tensor<4xui32>
}

// CHECK-LABEL: func.func @bit_casts
// CHECK-NEXT:    %c = array.bitcast_convert %x : tensor<4xf32> -> tensor<4xui32>
// CHECK-NEXT:    func.return %x, %c

func.func @complex_parts(%x: tensor<4xf64>, %y: tensor<4xf64>, %z: tensor<4xcomplex<f64>>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xcomplex<f64>>, tensor<4xcomplex<f64>>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xcomplex<f64>>) {
  %c = array.complex %x, %y : tensor<4xf64>, tensor<4xf64> -> tensor<4xcomplex<f64>>
  %r0 = array.real %c : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %r1 = array.imag %c : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %a = array.real %z : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %b = array.imag %z : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %r2 = array.complex %a, %b : tensor<4xf64>, tensor<4xf64> -> tensor<4xcomplex<f64>>
  %d = array.conj %z : tensor<4xcomplex<f64>>
  %r3 = array.conj %d : tensor<4xcomplex<f64>>
  %r4 = array.real %d : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %r5 = array.imag %d : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %e = array.convert %x : tensor<4xf64> -> tensor<4xcomplex<f64>>
  %r6 = array.real %e : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %r7 = array.imag %e : tensor<4xcomplex<f64>> -> tensor<4xf64>
  %r8 = array.conj %c : tensor<4xcomplex<f64>>
  func.return %r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8 : tensor<4xf64>, tensor<4xf64>, tensor<4xcomplex<f64>>, tensor<4xcomplex<f64>>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xcomplex<f64>>
}

// CHECK-LABEL: func.func @complex_parts
// CHECK-NEXT:    %a = array.real %z : tensor<4xcomplex<f64>> -> tensor<4xf64>
// CHECK-NEXT:    %b = array.imag %z : tensor<4xcomplex<f64>> -> tensor<4xf64>
// CHECK-NEXT:    %r5 = array.neg %b : tensor<4xf64>
// CHECK-NEXT:    %r7 = array.constant dense<0.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %0 = array.neg %y : tensor<4xf64>
// CHECK-NEXT:    %r8 = array.complex %x, %0 : tensor<4xf64>, tensor<4xf64> -> tensor<4xcomplex<f64>>
// CHECK-NEXT:    func.return %x, %y, %z, %z, %a, %r5, %x, %r7, %r8

// What is computed from repeated elements is computed before they are repeated.

func.func @repeated_elements(%s: tensor<f64>, %v: tensor<3xf64>, %w: tensor<3xf64>) -> (tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xi1>) {
  %two = array.constant dense<2.0> : tensor<2x3xf64>
  %a = array.broadcast %s dims [] : tensor<f64> -> tensor<2x3xf64>
  %b = array.exp %a : tensor<2x3xf64>
  %c = array.mul %b, %two : tensor<2x3xf64>
  %d = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3xf64>
  %e = array.broadcast %w dims [1] : tensor<3xf64> -> tensor<2x3xf64>
  %f = array.atan2 %d, %e : tensor<2x3xf64>
  %g = array.compare lt %d, %two : tensor<2x3xf64> -> tensor<2x3xi1>
  func.return %c, %f, %g : tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xi1>
}

// CHECK-LABEL: func.func @repeated_elements
// CHECK-NEXT:    %0 = array.exp %s : tensor<f64>
// CHECK-NEXT:    %1 = array.constant dense<2.000000e+00> : tensor<f64>
// CHECK-NEXT:    %2 = array.mul %0, %1 : tensor<f64>
// CHECK-NEXT:    %c = array.broadcast %2 dims [] : tensor<f64> -> tensor<2x3xf64>
// CHECK-NEXT:    %3 = array.atan2 %v, %w : tensor<3xf64>
// CHECK-NEXT:    %f = array.broadcast %3 dims [1] : tensor<3xf64> -> tensor<2x3xf64>
// CHECK-NEXT:    %4 = array.constant dense<2.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %5 = array.compare lt %v, %4 : tensor<3xf64> -> tensor<3xi1>
// CHECK-NEXT:    %g = array.broadcast %5 dims [1] : tensor<3xi1> -> tensor<2x3xi1>
// CHECK-NEXT:    func.return %c, %f, %g

// Repeated along different dimensions, or together with other elements, they stay.

func.func @differently_repeated(%v: tensor<3xf64>, %x: tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3x3xf64>) {
  %a = array.broadcast %v dims [0] : tensor<3xf64> -> tensor<3x3xf64>
  %b = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<3x3xf64>
  %c = array.add %a, %b : tensor<3x3xf64>
  %d = array.mul %a, %x : tensor<3x3xf64>
  func.return %c, %d : tensor<3x3xf64>, tensor<3x3xf64>
}

// CHECK-LABEL: func.func @differently_repeated
// CHECK-NEXT:    %a = array.broadcast %v dims [0] : tensor<3xf64> -> tensor<3x3xf64>
// CHECK-NEXT:    %b = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<3x3xf64>
// CHECK-NEXT:    %c = array.add %a, %b : tensor<3x3xf64>
// CHECK-NEXT:    %d = array.mul %a, %x : tensor<3x3xf64>
// CHECK-NEXT:    func.return %c, %d

// Equal ops are one, so that rules see equal operands as equal.

func.func @merged(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  %a = array.add %x, %y : tensor<4xi32>
  %b = array.add %y, %x : tensor<4xi32>
  %c = array.sub %a, %b : tensor<4xi32>
  func.return %c : tensor<4xi32>
}

// CHECK-LABEL: func.func @merged
// CHECK-NEXT:    %c = array.constant dense<0> : tensor<4xi32>
// CHECK-NEXT:    func.return %c
