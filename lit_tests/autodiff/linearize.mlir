// RUN: gradatim-opt %s -p 'array-split-vjp{argnums=0,1}' --split-input-file | filecheck %s --check-prefix SPLIT
// RUN: gradatim-opt %s -p 'array-linearize{argnums=0,1}' --split-input-file | filecheck %s --check-prefix LINEAR

// The products are computed again, the exponential is handed over, and what is linear comes without.

func.func @f(%x: tensor<100xf64>, %w: tensor<100xf64>) -> tensor<100xf64> {
  %a = array.mul %x, %w : tensor<100xf64>
  %b = array.exp %a : tensor<100xf64>
  %c = array.mul %b, %x : tensor<100xf64>
  func.return %c : tensor<100xf64>
}

// SPLIT-LABEL: func.func @f.forward(%x: tensor<100xf64>, %w: tensor<100xf64>) -> (tensor<100xf64>, tensor<100xf64>, tensor<100xf64>, tensor<100xf64>) {
// SPLIT-NEXT:      %a = array.mul %x, %w : tensor<100xf64>
// SPLIT-NEXT:      %b = array.exp %a : tensor<100xf64>
// SPLIT-NEXT:      %c = array.mul %b, %x : tensor<100xf64>
// SPLIT-NEXT:      func.return %c, %x, %w, %b : tensor<100xf64>, tensor<100xf64>, tensor<100xf64>, tensor<100xf64>
// SPLIT-LABEL: func.func @f.pullback(%x: tensor<100xf64>, %w: tensor<100xf64>, %b: tensor<100xf64>, %cotangent: tensor<100xf64>) -> (tensor<100xf64>, tensor<100xf64>) {
// SPLIT-NEXT:      %0 = array.mul %cotangent, %x : tensor<100xf64>
// SPLIT-NEXT:      %1 = array.mul %cotangent, %b : tensor<100xf64>
// SPLIT-NEXT:      %2 = array.mul %0, %b : tensor<100xf64>
// SPLIT-NEXT:      %3 = array.mul %2, %w : tensor<100xf64>
// SPLIT-NEXT:      %4 = array.mul %2, %x : tensor<100xf64>
// SPLIT-NEXT:      %5 = array.add %1, %3 : tensor<100xf64>
// SPLIT-NEXT:      func.return %5, %4 : tensor<100xf64>, tensor<100xf64>

// LINEAR-LABEL: func.func @f.forward(%x: tensor<100xf64>, %w: tensor<100xf64>) -> (tensor<100xf64>, tensor<100xf64>, tensor<100xf64>, tensor<100xf64>) {
// LINEAR-NEXT:      %a = array.mul %x, %w : tensor<100xf64>
// LINEAR-NEXT:      %b = array.exp %a : tensor<100xf64>
// LINEAR-NEXT:      %c = array.mul %b, %x : tensor<100xf64>
// LINEAR-NEXT:      func.return %c, %x, %w, %b : tensor<100xf64>, tensor<100xf64>, tensor<100xf64>, tensor<100xf64>
// LINEAR-LABEL: func.func @f.linear(%x: tensor<100xf64>, %w: tensor<100xf64>, %b: tensor<100xf64>, %tangent: tensor<100xf64>, %tangent_1: tensor<100xf64>) -> tensor<100xf64> {
// LINEAR-NEXT:      %0 = array.mul %tangent_1, %x : tensor<100xf64>
// LINEAR-NEXT:      %1 = array.mul %tangent, %w : tensor<100xf64>
// LINEAR-NEXT:      %2 = array.add %0, %1 : tensor<100xf64>
// LINEAR-NEXT:      %3 = array.mul %2, %b : tensor<100xf64>
// LINEAR-NEXT:      %4 = array.mul %tangent, %b : tensor<100xf64>
// LINEAR-NEXT:      %5 = array.mul %3, %x : tensor<100xf64>
// LINEAR-NEXT:      %6 = array.add %4, %5 : tensor<100xf64>
// LINEAR-NEXT:      func.return %6 : tensor<100xf64>

// -----

// A value much larger than what it is computed from is not handed over.

func.func @pairs(%x: tensor<1000xf64>, %y: tensor<1000xf64>) -> tensor<f64> {
  %a = array.broadcast %x dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
  %b = array.broadcast %y dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
  %c = array.sub %a, %b : tensor<1000x1000xf64>
  %d = array.mul %c, %c : tensor<1000x1000xf64>
  %s = array.reduce add %d dims [0, 1] : tensor<1000x1000xf64> -> tensor<f64>
  func.return %s : tensor<f64>
}

// SPLIT-LABEL: func.func @pairs.forward(%x: tensor<1000xf64>, %y: tensor<1000xf64>) -> (tensor<f64>, tensor<1000xf64>, tensor<1000xf64>) {
// SPLIT-NEXT:      %a = array.broadcast %x dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
// SPLIT-NEXT:      %b = array.broadcast %y dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
// SPLIT-NEXT:      %c = array.sub %a, %b : tensor<1000x1000xf64>
// SPLIT-NEXT:      %d = array.mul %c, %c : tensor<1000x1000xf64>
// SPLIT-NEXT:      %s = array.reduce add %d dims [0, 1] : tensor<1000x1000xf64> -> tensor<f64>
// SPLIT-NEXT:      func.return %s, %x, %y : tensor<f64>, tensor<1000xf64>, tensor<1000xf64>
// SPLIT-LABEL: func.func @pairs.pullback(%x: tensor<1000xf64>, %y: tensor<1000xf64>, %cotangent: tensor<f64>) -> (tensor<1000xf64>, tensor<1000xf64>) {
// SPLIT-NEXT:      %a = array.broadcast %x dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
// SPLIT-NEXT:      %b = array.broadcast %y dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
// SPLIT-NEXT:      %c = array.sub %a, %b : tensor<1000x1000xf64>
// SPLIT-NEXT:      %0 = array.broadcast %cotangent dims [] : tensor<f64> -> tensor<1000x1000xf64>
// SPLIT-NEXT:      %1 = array.mul %0, %c : tensor<1000x1000xf64>
// SPLIT-NEXT:      %2 = array.add %1, %1 : tensor<1000x1000xf64>
// SPLIT-NEXT:      %3 = array.neg %2 : tensor<1000x1000xf64>
// SPLIT-NEXT:      %4 = array.reduce add %3 dims [0] : tensor<1000x1000xf64> -> tensor<1000xf64>
// SPLIT-NEXT:      %5 = array.reduce add %2 dims [1] : tensor<1000x1000xf64> -> tensor<1000xf64>
// SPLIT-NEXT:      func.return %5, %4 : tensor<1000xf64>, tensor<1000xf64>

// LINEAR-LABEL: func.func @pairs.forward(%x: tensor<1000xf64>, %y: tensor<1000xf64>) -> (tensor<f64>, tensor<1000xf64>, tensor<1000xf64>) {
// LINEAR-NEXT:      %a = array.broadcast %x dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %b = array.broadcast %y dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %c = array.sub %a, %b : tensor<1000x1000xf64>
// LINEAR-NEXT:      %d = array.mul %c, %c : tensor<1000x1000xf64>
// LINEAR-NEXT:      %s = array.reduce add %d dims [0, 1] : tensor<1000x1000xf64> -> tensor<f64>
// LINEAR-NEXT:      func.return %s, %x, %y : tensor<f64>, tensor<1000xf64>, tensor<1000xf64>
// LINEAR-LABEL: func.func @pairs.linear(%x: tensor<1000xf64>, %y: tensor<1000xf64>, %tangent: tensor<1000xf64>, %tangent_1: tensor<1000xf64>) -> tensor<f64> {
// LINEAR-NEXT:      %a = array.broadcast %x dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %b = array.broadcast %y dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %c = array.sub %a, %b : tensor<1000x1000xf64>
// LINEAR-NEXT:      %0 = array.broadcast %tangent dims [0] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %1 = array.broadcast %tangent_1 dims [1] : tensor<1000xf64> -> tensor<1000x1000xf64>
// LINEAR-NEXT:      %2 = array.neg %1 : tensor<1000x1000xf64>
// LINEAR-NEXT:      %3 = array.add %0, %2 : tensor<1000x1000xf64>
// LINEAR-NEXT:      %4 = array.add %3, %3 : tensor<1000x1000xf64>
// LINEAR-NEXT:      %5 = array.mul %4, %c : tensor<1000x1000xf64>
// LINEAR-NEXT:      %6 = array.reduce add %5 dims [0, 1] : tensor<1000x1000xf64> -> tensor<f64>
// LINEAR-NEXT:      func.return %6 : tensor<f64>
