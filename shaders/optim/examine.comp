#version 450
#extension GL_GOOGLE_include_directive : require
// The squares of all gradients summed, and their largest magnitude, lane by lane: see NORM_LANES in
// hyper.py. Which float4 a lane adds, and in which order, depends on the tensors alone. Lanes are
// walked through by as many invocations as there are, and a share that the part before began is
// continued: the bits are the same for every local size, number of workgroups and size of a part.
#include "hyper.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) buffer Sums { vec4 sums[]; };
layout(std430, binding = 1) buffer Largest { uint largest[]; };
layout(std430, binding = 2) readonly buffer Runs { Run runs[]; };
layout(std430, binding = 3) readonly buffer Ranges { uint ranges[]; };
layout(std430, binding = 4) readonly buffer Grad { vec4 grad[]; };

// The first share of this part of the slab, how many there are.
layout(push_constant) uniform Push { uint first; uint shares; };

// Lanes of a workgroup at a time; at least a share's, which lie side by side. Without a loop over
// many: lavapipe ends the loops of an invocation after 65535 turns in all.
#define SPAN max(gl_WorkGroupSize.x, NORM_LANES)

void main() {
  uint lanes = shares * NORM_LANES;
  for (uint base = gl_WorkGroupID.x * SPAN; base < lanes; base += gl_NumWorkGroups.x * SPAN) {
    uint behind = min(base + SPAN, lanes);
    for (uint n = base + gl_LocalInvocationID.x; n < behind; n += gl_WorkGroupSize.x) {
      uint share = n / NORM_LANES, lane = n % NORM_LANES, at = first * NORM_LANES + n;
      uint begin = ranges[share], end = ranges[share + 1u];
      vec4 sum = vec4(0.0);
      uvec4 most = uvec4(0u);
      if (runs[begin].place != 0u) {
        sum = sums[at];
        most = uvec4(largest[at]);
      }
      for (uint r = begin; r < end; r++) {
        Run run = runs[r];
        uint last = run.start + run.count;
        for (uint i = run.start + (lane - run.place) % NORM_LANES; i < last; i += NORM_LANES) {
          vec4 g = grad[i];
          uvec4 size = floatBitsToUint(g) & 0x7fffffffu;  // in the order of magnitudes, nan last
          most = max(most, size);
          g = mix(g, vec4(0.0), lessThan(size, uvec4(NORM_LEAST_BITS)));
          precise vec4 square = g * g;
          precise vec4 more = sum + square;
          sum = more;
        }
      }
      sums[at] = sum;
      largest[at] = max(max(most.x, most.y), max(most.z, most.w));
    }
  }
}
