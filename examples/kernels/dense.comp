// y = x w + b, and what is negative becomes 0 if relu is set.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer X { vec4 x[]; };   // (rows, inner)
layout(std430, binding = 1) readonly buffer W { vec4 w[]; };   // (4 * inner, columns)
layout(std430, binding = 2) readonly buffer B { vec4 b[]; };   // (columns)
layout(std430, binding = 3) writeonly buffer Y { vec4 y[]; };  // (rows, columns)
layout(push_constant) uniform Push { uint rows, inner, columns, relu; };  // in vec4, but for rows

void main() {
  uint i = gl_GlobalInvocationID.x;  // an invocation four elements of y
  if (i >= rows * columns) return;
  uint row = i / columns, column = i % columns;
  // `precise`: no driver may fuse or reorder this sum, so all of them get the same bits.
  precise vec4 sum = b[column];
  for (uint k = 0; k < inner; k++) {
    vec4 factors = x[row * inner + k];
    uint first = 4 * k * columns + column;
    sum += factors.x * w[first];
    sum += factors.y * w[first + columns];
    sum += factors.z * w[first + 2 * columns];
    sum += factors.w * w[first + 3 * columns];
  }
  y[i] = relu != 0 ? mix(vec4(0.0), sum, greaterThan(sum, vec4(0.0))) : sum;
}
