// Cross-entropy of the softmax of each image's logits, and the gradient of its mean.
// The logits past the classes stand for nothing, and their gradients stay 0.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer Logits { float logits[]; };       // (rows, width)
layout(std430, binding = 1) readonly buffer Y { float y[]; };                 // (rows)
layout(std430, binding = 2) writeonly buffer DLogits { float d_logits[]; };   // (rows, width)
layout(std430, binding = 3) writeonly buffer Losses { float losses[]; };      // (rows)
layout(push_constant) uniform Push { uint rows, classes, width; };

void main() {
  uint row = gl_GlobalInvocationID.x;  // an invocation an image
  if (row >= rows) return;
  uint first = row * width, right = uint(y[row]);

  // The largest is subtracted, so that no exponential overflows.
  float largest = logits[first];
  for (uint c = 1; c < classes; c++) largest = max(largest, logits[first + c]);
  precise float sum = 0.0;
  for (uint c = 0; c < classes; c++) sum += exp(logits[first + c] - largest);

  losses[row] = log(sum) - (logits[first + right] - largest);
  for (uint c = 0; c < classes; c++) {
    precise float probability = exp(logits[first + c] - largest) / sum;
    d_logits[first + c] = (probability - (c == right ? 1.0 : 0.0)) / float(rows);
  }
}
