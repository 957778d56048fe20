// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// A sum gives its cotangent to each element.

func.func @sum(%x: tensor<2x3xf64>) -> tensor<2xf64> {
  %y = array.reduce add %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
  func.return %y : tensor<2xf64>
}

// VJP-LABEL: func.func @sum(%x: tensor<2x3xf64>, %cotangent: tensor<2xf64>) -> tensor<2x3xf64>
// VJP-NEXT:    %0 = array.broadcast %cotangent dims [0] : tensor<2xf64> -> tensor<2x3xf64>
// VJP-NEXT:    func.return %0 : tensor<2x3xf64>

// JVP-LABEL: func.func @sum(%x: tensor<2x3xf64>, %x_tangent: tensor<2x3xf64>) -> (tensor<2xf64>, tensor<2xf64>)
// JVP-NEXT:    %y = array.reduce add %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// JVP-NEXT:    %0 = array.reduce add %x_tangent dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<2xf64>, tensor<2xf64>

// -----

// Elements that equal the maximum share its derivative.

func.func @max(%x: tensor<2x3xf64>) -> tensor<2xf64> {
  %y = array.reduce max %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
  func.return %y : tensor<2xf64>
}

// VJP-LABEL: func.func @max(%x: tensor<2x3xf64>, %cotangent: tensor<2xf64>) -> tensor<2x3xf64>
// VJP-NEXT:    %y = array.reduce max %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// VJP-NEXT:    %0 = array.broadcast %y dims [0] : tensor<2xf64> -> tensor<2x3xf64>
// VJP-NEXT:    %1 = array.compare eq %x, %0 : tensor<2x3xf64> -> tensor<2x3xi1>
// VJP-NEXT:    %2 = array.convert %1 : tensor<2x3xi1> -> tensor<2x3xf64>
// VJP-NEXT:    %3 = array.reduce add %2 dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// VJP-NEXT:    %4 = array.constant dense<{{.*}}> : tensor<2xf64>
// VJP-NEXT:    %5 = array.max %3, %4 : tensor<2xf64>
// VJP-NEXT:    %6 = array.div %cotangent, %5 : tensor<2xf64>
// VJP-NEXT:    %7 = array.broadcast %6 dims [0] : tensor<2xf64> -> tensor<2x3xf64>
// VJP-NEXT:    %8 = array.constant dense<0.000000e+00> : tensor<2x3xf64>
// VJP-NEXT:    %9 = array.select %1, %7, %8 : tensor<2x3xi1>, tensor<2x3xf64>
// VJP-NEXT:    func.return %9 : tensor<2x3xf64>

// JVP-LABEL: func.func @max(%x: tensor<2x3xf64>, %x_tangent: tensor<2x3xf64>) -> (tensor<2xf64>, tensor<2xf64>)
// JVP-NEXT:    %y = array.reduce max %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// JVP-NEXT:    %0 = array.broadcast %y dims [0] : tensor<2xf64> -> tensor<2x3xf64>
// JVP-NEXT:    %1 = array.compare eq %x, %0 : tensor<2x3xf64> -> tensor<2x3xi1>
// JVP-NEXT:    %2 = array.convert %1 : tensor<2x3xi1> -> tensor<2x3xf64>
// JVP-NEXT:    %3 = array.reduce add %2 dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// JVP-NEXT:    %4 = array.constant dense<{{.*}}> : tensor<2xf64>
// JVP-NEXT:    %5 = array.max %3, %4 : tensor<2xf64>
// JVP-NEXT:    %6 = array.constant dense<0.000000e+00> : tensor<2x3xf64>
// JVP-NEXT:    %7 = array.select %1, %x_tangent, %6 : tensor<2x3xi1>, tensor<2x3xf64>
// JVP-NEXT:    %8 = array.reduce add %7 dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// JVP-NEXT:    %9 = array.div %8, %5 : tensor<2xf64>
// JVP-NEXT:    func.return %y, %9 : tensor<2xf64>, tensor<2xf64>

// -----

// A product becomes a tree of products, whose derivative is right where elements are zero.

func.func @product(%x: tensor<3xf64>) -> tensor<f64> {
  %y = array.reduce mul %x dims [0] : tensor<3xf64> -> tensor<f64>
  func.return %y : tensor<f64>
}

// VJP-LABEL: func.func @product(%x: tensor<3xf64>, %cotangent: tensor<f64>) -> tensor<3xf64>
// VJP-NEXT:    %0 = array.slice %x starts [2] limits [3] strides [1] : tensor<3xf64> -> tensor<1xf64>
// VJP-NEXT:    %1 = array.slice %x starts [0] limits [1] strides [1] : tensor<3xf64> -> tensor<1xf64>
// VJP-NEXT:    %2 = array.slice %x starts [1] limits [2] strides [1] : tensor<3xf64> -> tensor<1xf64>
// VJP-NEXT:    %3 = array.mul %1, %2 : tensor<1xf64>
// VJP-NEXT:    %4 = array.reshape %cotangent : tensor<f64> -> tensor<1xf64>
// VJP-NEXT:    %5 = array.mul %4, %0 : tensor<1xf64>
// VJP-NEXT:    %6 = array.mul %4, %3 : tensor<1xf64>
// VJP-NEXT:    %7 = array.mul %5, %2 : tensor<1xf64>
// VJP-NEXT:    %8 = array.mul %5, %1 : tensor<1xf64>
// VJP-NEXT:    %9 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %10 = array.pad %8, %9 low [1] high [1] interior [0] : tensor<1xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %11 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %12 = array.pad %7, %11 low [0] high [2] interior [0] : tensor<1xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %13 = array.add %10, %12 : tensor<3xf64>
// VJP-NEXT:    %14 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %15 = array.pad %6, %14 low [2] high [0] interior [0] : tensor<1xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %16 = array.add %13, %15 : tensor<3xf64>
// VJP-NEXT:    func.return %16 : tensor<3xf64>

// JVP-LABEL: func.func @product(%x: tensor<3xf64>, %x_tangent: tensor<3xf64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %0 = array.slice %x starts [2] limits [3] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %1 = array.slice %x starts [0] limits [1] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %2 = array.slice %x starts [1] limits [2] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %3 = array.mul %1, %2 : tensor<1xf64>
// JVP-NEXT:    %4 = array.mul %3, %0 : tensor<1xf64>
// JVP-NEXT:    %5 = array.reshape %4 : tensor<1xf64> -> tensor<f64>
// JVP-NEXT:    %6 = array.slice %x_tangent starts [2] limits [3] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %7 = array.slice %x_tangent starts [0] limits [1] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %8 = array.slice %x_tangent starts [1] limits [2] strides [1] : tensor<3xf64> -> tensor<1xf64>
// JVP-NEXT:    %9 = array.mul %7, %2 : tensor<1xf64>
// JVP-NEXT:    %10 = array.mul %8, %1 : tensor<1xf64>
// JVP-NEXT:    %11 = array.add %9, %10 : tensor<1xf64>
// JVP-NEXT:    %12 = array.mul %11, %0 : tensor<1xf64>
// JVP-NEXT:    %13 = array.mul %6, %3 : tensor<1xf64>
// JVP-NEXT:    %14 = array.add %12, %13 : tensor<1xf64>
// JVP-NEXT:    %15 = array.reshape %14 : tensor<1xf64> -> tensor<f64>
// JVP-NEXT:    func.return %5, %15 : tensor<f64>, tensor<f64>

// -----

// A cumulative sum runs the other way.

func.func @cumulative_sum(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.cumulative add %x dim 0 : tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @cumulative_sum(%x: tensor<4xf64>, %cotangent: tensor<4xf64>) -> tensor<4xf64>
// VJP-NEXT:    %0 = array.cumulative add %cotangent dim 0 reverse : tensor<4xf64>
// VJP-NEXT:    func.return %0 : tensor<4xf64>

// JVP-LABEL: func.func @cumulative_sum(%x: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.cumulative add %x dim 0 : tensor<4xf64>
// JVP-NEXT:    %0 = array.cumulative add %x_tangent dim 0 : tensor<4xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<4xf64>, tensor<4xf64>

// -----

// Other cumulative operations become a scan by doubling.

func.func @cumulative_product(%x: tensor<3xf64>) -> tensor<3xf64> {
  %y = array.cumulative mul %x dim 0 : tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// VJP-LABEL: func.func @cumulative_product(%x: tensor<3xf64>, %cotangent: tensor<3xf64>) -> tensor<3xf64>
// VJP-NEXT:    %0 = array.constant dense<{{.*}}> : tensor<f64>
// VJP-NEXT:    %1 = array.pad %x, %0 low [1] high [-1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %2 = array.mul %x, %1 : tensor<3xf64>
// VJP-NEXT:    %3 = array.pad %2, %0 low [2] high [-2] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %4 = array.mul %cotangent, %3 : tensor<3xf64>
// VJP-NEXT:    %5 = array.mul %cotangent, %2 : tensor<3xf64>
// VJP-NEXT:    %6 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %7 = array.pad %5, %6 low [-2] high [2] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %8 = array.add %4, %7 : tensor<3xf64>
// VJP-NEXT:    %9 = array.mul %8, %1 : tensor<3xf64>
// VJP-NEXT:    %10 = array.mul %8, %x : tensor<3xf64>
// VJP-NEXT:    %11 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %12 = array.pad %10, %11 low [-1] high [1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// VJP-NEXT:    %13 = array.add %9, %12 : tensor<3xf64>
// VJP-NEXT:    func.return %13 : tensor<3xf64>

// JVP-LABEL: func.func @cumulative_product(%x: tensor<3xf64>, %x_tangent: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>)
// JVP-NEXT:    %0 = array.constant dense<{{.*}}> : tensor<f64>
// JVP-NEXT:    %1 = array.pad %x, %0 low [1] high [-1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// JVP-NEXT:    %2 = array.mul %x, %1 : tensor<3xf64>
// JVP-NEXT:    %3 = array.pad %2, %0 low [2] high [-2] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// JVP-NEXT:    %4 = array.mul %2, %3 : tensor<3xf64>
// JVP-NEXT:    %5 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %6 = array.pad %x_tangent, %5 low [1] high [-1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// JVP-NEXT:    %7 = array.mul %x_tangent, %1 : tensor<3xf64>
// JVP-NEXT:    %8 = array.mul %6, %x : tensor<3xf64>
// JVP-NEXT:    %9 = array.add %7, %8 : tensor<3xf64>
// JVP-NEXT:    %10 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %11 = array.pad %9, %10 low [2] high [-2] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<3xf64>
// JVP-NEXT:    %12 = array.mul %9, %3 : tensor<3xf64>
// JVP-NEXT:    %13 = array.mul %11, %2 : tensor<3xf64>
// JVP-NEXT:    %14 = array.add %12, %13 : tensor<3xf64>
// JVP-NEXT:    func.return %4, %14 : tensor<3xf64>, tensor<3xf64>

// -----

// The transpose of a sum of windows slides over the cotangents, parted by the strides.

func.func @windows(%x: tensor<7xf64>) -> tensor<3xf64> {
  %y = array.reduce_window add %x sizes [3] strides [2] dilations [1] low [1] high [0] : tensor<7xf64> -> tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// VJP-LABEL: func.func @windows(%x: tensor<7xf64>, %cotangent: tensor<3xf64>) -> tensor<7xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %1 = array.pad %cotangent, %0 low [0] high [0] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<5xf64>
// VJP-NEXT:    %2 = array.reduce_window add %1 sizes [3] strides [1] dilations [1] low [1] high [3] : tensor<5xf64> -> tensor<7xf64>
// VJP-NEXT:    func.return %2 : tensor<7xf64>

// JVP-LABEL: func.func @windows(%x: tensor<7xf64>, %x_tangent: tensor<7xf64>) -> (tensor<3xf64>, tensor<3xf64>)
// JVP-NEXT:    %y = array.reduce_window add %x sizes [3] strides [2] dilations [1] low [1] high [0] : tensor<7xf64> -> tensor<3xf64>
// JVP-NEXT:    %0 = array.reduce_window add %x_tangent sizes [3] strides [2] dilations [1] low [1] high [0] : tensor<7xf64> -> tensor<3xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<3xf64>, tensor<3xf64>

// -----

// A maximum of windows becomes maxima of strided parts.

func.func @extrema(%x: tensor<6xf64>) -> tensor<3xf64> {
  %y = array.reduce_window max %x sizes [2] strides [2] dilations [1] low [0] high [0] : tensor<6xf64> -> tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// VJP-LABEL: func.func @extrema(%x: tensor<6xf64>, %cotangent: tensor<3xf64>) -> tensor<6xf64>
// VJP-NEXT:    %0 = array.slice %x starts [0] limits [5] strides [2] : tensor<6xf64> -> tensor<3xf64>
// VJP-NEXT:    %1 = array.slice %x starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
// VJP-NEXT:    %2 = array.compare eq %0, %1 : tensor<3xf64> -> tensor<3xi1>
// VJP-NEXT:    %3 = array.constant dense<5.000000e-01> : tensor<3xf64>
// VJP-NEXT:    %4 = array.mul %cotangent, %3 : tensor<3xf64>
// VJP-NEXT:    %5 = array.constant dense<0.000000e+00> : tensor<3xf64>
// VJP-NEXT:    %6 = array.select %2, %4, %5 : tensor<3xi1>, tensor<3xf64>
// VJP-NEXT:    %7 = array.compare gt %0, %1 : tensor<3xf64> -> tensor<3xi1>
// VJP-NEXT:    %8 = array.select %7, %cotangent, %6 : tensor<3xi1>, tensor<3xf64>
// VJP-NEXT:    %9 = array.compare eq %1, %0 : tensor<3xf64> -> tensor<3xi1>
// VJP-NEXT:    %10 = array.constant dense<5.000000e-01> : tensor<3xf64>
// VJP-NEXT:    %11 = array.mul %cotangent, %10 : tensor<3xf64>
// VJP-NEXT:    %12 = array.constant dense<0.000000e+00> : tensor<3xf64>
// VJP-NEXT:    %13 = array.select %9, %11, %12 : tensor<3xi1>, tensor<3xf64>
// VJP-NEXT:    %14 = array.compare gt %1, %0 : tensor<3xf64> -> tensor<3xi1>
// VJP-NEXT:    %15 = array.select %14, %cotangent, %13 : tensor<3xi1>, tensor<3xf64>
// VJP-NEXT:    %16 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %17 = array.pad %15, %16 low [1] high [0] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<6xf64>
// VJP-NEXT:    %18 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %19 = array.pad %8, %18 low [0] high [1] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<6xf64>
// VJP-NEXT:    %20 = array.add %17, %19 : tensor<6xf64>
// VJP-NEXT:    func.return %20 : tensor<6xf64>

// JVP-LABEL: func.func @extrema(%x: tensor<6xf64>, %x_tangent: tensor<6xf64>) -> (tensor<3xf64>, tensor<3xf64>)
// JVP-NEXT:    %0 = array.constant dense<"0x000000000000F0FF"> : tensor<f64>
// JVP-NEXT:    %1 = array.slice %x starts [0] limits [5] strides [2] : tensor<6xf64> -> tensor<3xf64>
// JVP-NEXT:    %2 = array.slice %x starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
// JVP-NEXT:    %3 = array.max %1, %2 : tensor<3xf64>
// JVP-NEXT:    %4 = array.slice %x_tangent starts [0] limits [5] strides [2] : tensor<6xf64> -> tensor<3xf64>
// JVP-NEXT:    %5 = array.slice %x_tangent starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
// JVP-NEXT:    %6 = array.compare eq %1, %2 : tensor<3xf64> -> tensor<3xi1>
// JVP-NEXT:    %7 = array.constant dense<5.000000e-01> : tensor<3xf64>
// JVP-NEXT:    %8 = array.mul %4, %7 : tensor<3xf64>
// JVP-NEXT:    %9 = array.constant dense<0.000000e+00> : tensor<3xf64>
// JVP-NEXT:    %10 = array.select %6, %8, %9 : tensor<3xi1>, tensor<3xf64>
// JVP-NEXT:    %11 = array.compare gt %1, %2 : tensor<3xf64> -> tensor<3xi1>
// JVP-NEXT:    %12 = array.select %11, %4, %10 : tensor<3xi1>, tensor<3xf64>
// JVP-NEXT:    %13 = array.compare eq %2, %1 : tensor<3xf64> -> tensor<3xi1>
// JVP-NEXT:    %14 = array.constant dense<5.000000e-01> : tensor<3xf64>
// JVP-NEXT:    %15 = array.mul %5, %14 : tensor<3xf64>
// JVP-NEXT:    %16 = array.constant dense<0.000000e+00> : tensor<3xf64>
// JVP-NEXT:    %17 = array.select %13, %15, %16 : tensor<3xi1>, tensor<3xf64>
// JVP-NEXT:    %18 = array.compare gt %2, %1 : tensor<3xf64> -> tensor<3xi1>
// JVP-NEXT:    %19 = array.select %18, %5, %17 : tensor<3xi1>, tensor<3xf64>
// JVP-NEXT:    %20 = array.add %12, %19 : tensor<3xf64>
// JVP-NEXT:    func.return %3, %20 : tensor<3xf64>, tensor<3xf64>
