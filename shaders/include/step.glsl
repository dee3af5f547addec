// What every optimizer kernel shares: the cursor, the chunks, and the loops over them.
// Define HYPER, the struct of a lane's columns, before. CONTROLLED adds the control buffer: it is
// binding 4, behind which the slabs follow, which else begin at 4. Then gradients are multiplied by
// its coefficient, and an update that it does not apply moves no cursor and stores nothing.
#include "hyper.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) buffer Clock { uint clock[]; };
layout(std430, binding = 1) readonly buffer Table { HYPER table[]; };
layout(std430, binding = 2) readonly buffer Chunks { Chunk chunks[]; };
layout(std430, binding = 3) readonly buffer Ranges { uint ranges[]; };
#ifdef CONTROLLED
layout(std430, binding = 4) readonly buffer Control { uint control[]; };
#define SLAB(n) (5 + n)
#define APPLIED control[CONTROL_APPLIED]
#define BEGIN(row) \
  uint row = take_row(); \
  if (APPLIED == 0u) return; \
  vec4 coefficient_4 = vec4(uintBitsToFloat(control[CONTROL_COEFFICIENT]));
#define GRADIENT(g, i) precise vec4 g = coefficient_4 * grad[i];
#else
#define SLAB(n) (4 + n)
#define APPLIED 1u
#define BEGIN(row) uint row = take_row();
#define GRADIENT(g, i) vec4 g = grad[i];
#endif

// Parity of this step, lanes in a table row.
layout(push_constant) uniform Push { uint parity; uint lanes; };

// Returns this step's table row and moves the cursor on, if the update is applied. The next step
// reads the other word, so no invocation can see its own step's increment. Of several dispatches in a
// step, over several parts of the slabs, each writes the same number.
uint take_row() {
  uint row = clock[CLOCK_ROW_EVEN + parity];
  if (gl_GlobalInvocationID.x == 0u) clock[CLOCK_ROW_EVEN + (parity ^ 1u)] = row + APPLIED;
  return row;
}

// This workgroup's chunks, and this invocation's float4 between two places of the slabs. Macros,
// because SwiftShader made a kernel with its body in a function 1.2 times slower.
#define FOR_CHUNKS(c) for (uint c = ranges[gl_WorkGroupID.x]; c < ranges[gl_WorkGroupID.x + 1u]; c++)
#define FOR_FLOAT4(i, start, end) \
  for (uint i = start + gl_LocalInvocationID.x; i < end; i += gl_WorkGroupSize.x)

// x, or +0 where it is masked out: one instruction in a loop, where mix() is three.
vec4 masked(vec4 x, uvec4 mask) {
  return uintBitsToFloat(floatBitsToUint(x) & mask);
}

uvec4 mask_of(bool on) {
  return uvec4(on ? ~0u : 0u);
}
