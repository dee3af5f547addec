// The gradient of the hidden layer: d_y w^T where its ReLU let something through, else 0.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer DY { vec4 d_y[]; };    // (rows, columns)
layout(std430, binding = 1) readonly buffer W { vec4 w[]; };       // (inner, columns)
layout(std430, binding = 2) readonly buffer X { float x[]; };      // (rows, inner), after ReLU
layout(std430, binding = 3) writeonly buffer DX { float d_x[]; };  // (rows, inner)
layout(push_constant) uniform Push { uint rows, inner, columns; };  // columns in vec4

void main() {
  uint i = gl_GlobalInvocationID.x;  // an invocation an element of d_x
  if (i >= rows * inner) return;
  uint row = i / inner, k = i % inner;
  precise float sum = 0.0;
  for (uint c = 0; c < columns; c++) {
    precise vec4 terms = d_y[row * columns + c] * w[k * columns + c];
    sum = (((sum + terms.x) + terms.y) + terms.z) + terms.w;
  }
  d_x[i] = x[i] > 0.0 ? sum : 0.0;
}
