// The gradients of a layer: d_w = x^T d_y, and d_b, the sum of the rows of d_y.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer X { vec4 x[]; };      // (rows, inner)
layout(std430, binding = 1) readonly buffer DY { vec4 d_y[]; };   // (rows, columns)
layout(std430, binding = 2) writeonly buffer DW { vec4 d_w[]; };  // (4 * inner, columns)
layout(std430, binding = 3) writeonly buffer DB { vec4 d_b[]; };  // (columns)
layout(push_constant) uniform Push { uint rows, inner, columns; };  // in vec4, but for rows

void main() {
  uint i = gl_GlobalInvocationID.x;  // an invocation a 4 x 4 block of d_w, and then four of d_b
  if (i >= (inner + 1) * columns) return;
  uint k = i / columns, column = i % columns;
  if (k < inner) {
    precise vec4 sum0 = vec4(0.0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (uint row = 0; row < rows; row++) {
      vec4 factors = x[row * inner + k], others = d_y[row * columns + column];
      sum0 += factors.x * others;
      sum1 += factors.y * others;
      sum2 += factors.z * others;
      sum3 += factors.w * others;
    }
    uint first = 4 * k * columns + column;
    d_w[first] = sum0;
    d_w[first + columns] = sum1;
    d_w[first + 2 * columns] = sum2;
    d_w[first + 3 * columns] = sum3;
  } else {
    precise vec4 sum = vec4(0.0);
    for (uint row = 0; row < rows; row++) sum += d_y[row * columns + column];
    d_b[column] = sum;
  }
}
