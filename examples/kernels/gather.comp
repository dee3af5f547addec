// Collects the next batch: its image n is number order[cursor * rows + n] of all images.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly buffer Images { vec4 images[]; };   // (all images, pixels)
layout(std430, binding = 1) readonly buffer Labels { float labels[]; };  // (all images)
layout(std430, binding = 2) readonly buffer Order { float order[]; };    // (all batches * rows)
layout(std430, binding = 3) readonly buffer Cursor { float cursor; };    // batches done so far
layout(std430, binding = 4) writeonly buffer X { vec4 x[]; };            // (rows, pixels)
layout(std430, binding = 5) writeonly buffer Y { float y[]; };           // (rows)
layout(push_constant) uniform Push { uint rows, pixels; };  // pixels are counted in vec4

void main() {
  uint i = gl_GlobalInvocationID.x;  // an invocation four pixels
  if (i >= rows * pixels) return;
  uint row = i / pixels, pixel = i % pixels;
  // All numbers are float32, which holds integers to 2^24.
  uint image = uint(order[uint(cursor) * rows + row]);
  x[i] = images[image * pixels + pixel];
  if (pixel == 0) y[row] = labels[image];
}
