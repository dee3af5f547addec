#version 450
// target += scale * source, each operation rounded: the same bits as numpy's float32.
layout(local_size_x_id = 0) in;
layout(std430, binding = 0) buffer Target { float target[]; };
layout(std430, binding = 1) readonly buffer Source { float source[]; };
layout(push_constant) uniform Push { uint count; float scale; };

void main() {
  uint step = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  for (uint i = gl_GlobalInvocationID.x; i < count; i += step) {
    precise float product = scale * source[i];
    precise float sum = target[i] + product;
    target[i] = sum;
  }
}
