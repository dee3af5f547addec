// 1 for each image whose largest logit is that of its label, else 0.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer Logits { float logits[]; };  // (rows, width)
layout(std430, binding = 1) readonly buffer Y { float y[]; };            // (rows)
layout(std430, binding = 2) writeonly buffer Hits { float hits[]; };     // (rows)
layout(push_constant) uniform Push { uint rows, classes, width; };

void main() {
  uint row = gl_GlobalInvocationID.x;  // an invocation an image
  if (row >= rows) return;
  uint first = row * width, best = 0;
  for (uint c = 1; c < classes; c++)
    if (logits[first + c] > logits[first + best]) best = c;
  hits[row] = best == uint(y[row]) ? 1.0 : 0.0;
}
