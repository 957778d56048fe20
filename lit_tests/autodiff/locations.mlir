// RUN: gradatim-opt %s -p 'array-vjp{value=false}' --print-debuginfo | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --print-debuginfo | filecheck %s --check-prefix JVP

// An op that a rule makes is marked with the mode and keeps the user's place.

func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %y = array.sin %x : tensor<f64> loc("f"("model.py":12:8))
  func.return %y : tensor<f64>
}

// VJP: %y = array.sin %x : tensor<f64> loc("f"("model.py":12:8))
// VJP-NEXT: array.cos %x : tensor<f64> loc("vjp"("f"("model.py":12:8)))
// VJP-NEXT: array.mul %cotangent, %{{.*}} : tensor<f64> loc("vjp"("f"("model.py":12:8)))
// JVP: array.cos %x : tensor<f64> loc("jvp"("f"("model.py":12:8)))
