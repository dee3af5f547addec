#version 450
#extension GL_GOOGLE_include_directive : require
// One workgroup: the norm of all gradients from what examine.comp found, what to multiply the
// gradients by, and whether the update is applied. The order of the sums is that of
// grilly/cpu_norm.py, for every local size. What is not finite is told by its bits: Vulkan need not
// compute with it.
#include "hyper.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) buffer Control { uint control[]; };
layout(std430, binding = 1) readonly buffer Sums { vec4 sums[]; };
layout(std430, binding = 2) readonly buffer Largest { uint largest[]; };
layout(push_constant) uniform Push { uint count; };

const uint INFINITE = 0x7f800000u, NAN = 0x7fc00000u;
const uint NORMAL = 0x00800000u;  // the smallest; what is smaller becomes 0, as drivers may flush it

shared vec4 part[NORM_PARTS];
shared uint most[NORM_PARTS];

void add_parts() {
  for (uint i = gl_LocalInvocationID.x; i < NORM_PARTS; i += gl_WorkGroupSize.x) {
    vec4 sum = vec4(0.0);
    uint size = 0u;
    for (uint n = i; n < count; n += NORM_PARTS) {
      precise vec4 more = sum + sums[n];
      sum = more;
      size = max(size, largest[n]);
    }
    part[i] = sum;
    most[i] = size;
  }
  for (uint left = NORM_PARTS / 2u; left > 0u; left /= 2u) {
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < left; i += gl_WorkGroupSize.x) {
      precise vec4 sum = part[i] + part[i + left];
      part[i] = sum;
      most[i] = max(most[i], most[i + left]);
    }
  }
}

uint norm_bits(vec4 sum, uint size) {
  precise float low = sum.x + sum.y;
  precise float high = sum.z + sum.w;
  precise float total = low + high;
  precise float norm = sqrt(total);
  bool infinite = size == INFINITE || floatBitsToUint(total) >= INFINITE;
  return size > INFINITE ? NAN : infinite ? INFINITE : floatBitsToUint(norm);
}

// min(1, max_norm / (norm + 1e-6)) as torch has it.
uint coefficient_bits(uint norm) {
  uint limit = control[CONTROL_MAX_NORM];
  if (limit == INFINITE) return floatBitsToUint(1.0);
  if (norm >= INFINITE) return norm == INFINITE ? 0u : NAN;
  precise float divisor = uintBitsToFloat(norm) + 1e-6;
  precise float ratio = uintBitsToFloat(limit) / divisor;
  return ratio < uintBitsToFloat(NORMAL) ? 0u : floatBitsToUint(min(ratio, 1.0));
}

void main() {
  add_parts();
  if (gl_LocalInvocationID.x != 0u) return;
  uint norm = norm_bits(part[0], most[0]);
  bool finite = most[0] < INFINITE;
  bool applied = finite || control[CONTROL_SKIP_NONFINITE] == 0u;
  control[CONTROL_COEFFICIENT] = coefficient_bits(norm);
  control[CONTROL_APPLIED] = uint(applied);
  control[CONTROL_NORM] = norm;
  control[CONTROL_NONFINITE] = uint(!finite);
  uint carry;
  control[CONTROL_SKIPPED_LO] = uaddCarry(control[CONTROL_SKIPPED_LO], uint(!applied), carry);
  control[CONTROL_SKIPPED_HI] += carry;
}
