// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-canonicalize' --split-input-file | filecheck %s

// Nothing is kept: the body is run again behind a barrier, with the cotangent.

func.func @nothing(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.remat policy "nothing" operands(%x : tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>):
    %s = array.sin %a : tensor<4xf64>
    %e = array.exp %s : tensor<4xf64>
    array.yield %e : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @nothing(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64> {
// CHECK-NEXT:      %0, %1 = array.barrier %x, %cotangent : tensor<4xf64>, tensor<4xf64> -> tensor<4xf64>, tensor<4xf64>
// CHECK-NEXT:      %2 = array.remat policy "nothing" operands(%0, %1 : tensor<4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf64>, %cotangent_1: tensor<4xf64>):
// CHECK-NEXT:        %s = array.sin %a : tensor<4xf64>
// CHECK-NEXT:        %e = array.exp %s : tensor<4xf64>
// CHECK-NEXT:        %3 = array.mul %cotangent_1, %e : tensor<4xf64>
// CHECK-NEXT:        %4 = array.cos %a : tensor<4xf64>
// CHECK-NEXT:        %5 = array.mul %3, %4 : tensor<4xf64>
// CHECK-NEXT:        array.yield %5 : tensor<4xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %2 : tensor<4xf64>

// -----

// What has the name is kept.

func.func @names(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.remat policy "names:here" operands(%x : tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>):
    %s = array.sin %a : tensor<4xf64>
    %n = array.name "here" %s : tensor<4xf64> -> tensor<4xf64>
    %e = array.exp %n : tensor<4xf64>
    array.yield %e : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @names(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64> {
// CHECK-NEXT:      %0 = array.remat policy "names:here" operands(%x : tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf64>):
// CHECK-NEXT:        %s = array.sin %a : tensor<4xf64>
// CHECK-NEXT:        %n = array.name "here" %s : tensor<4xf64> -> tensor<4xf64>
// CHECK-NEXT:        array.yield %n : tensor<4xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      %1, %2, %3 = array.barrier %x, %0, %cotangent : tensor<4xf64>, tensor<4xf64>, tensor<4xf64> -> tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
// CHECK-NEXT:      %4 = array.remat policy "names:here" operands(%1, %2, %3 : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf64>, %n: tensor<4xf64>, %cotangent_1: tensor<4xf64>):
// CHECK-NEXT:        %e = array.exp %n : tensor<4xf64>
// CHECK-NEXT:        %5 = array.mul %cotangent_1, %e : tensor<4xf64>
// CHECK-NEXT:        %6 = array.cos %a : tensor<4xf64>
// CHECK-NEXT:        %7 = array.mul %5, %6 : tensor<4xf64>
// CHECK-NEXT:        array.yield %7 : tensor<4xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %4 : tensor<4xf64>

// -----

// Where everything may be kept, it is as if there were no remat.

func.func @everything(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.remat policy "everything" operands(%x : tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>):
    %s = array.sin %a : tensor<4xf64>
    %e = array.exp %s : tensor<4xf64>
    array.yield %e : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @everything(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64> {
// CHECK-NEXT:      %s = array.sin %x : tensor<4xf64>
// CHECK-NEXT:      %e = array.exp %s : tensor<4xf64>
// CHECK-NEXT:      %0 = array.mul %cotangent, %e : tensor<4xf64>
// CHECK-NEXT:      %1 = array.cos %x : tensor<4xf64>
// CHECK-NEXT:      %2 = array.mul %0, %1 : tensor<4xf64>
// CHECK-NEXT:      func.return %2 : tensor<4xf64>
