// What every optimizer kernel shares: the cursor, the chunks, and the loop over them.
// Include after defining HYPER, the struct of a lane's columns. Slab bindings begin at 4.
#include "hyper.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) buffer Clock { uint clock[]; };
layout(std430, binding = 1) readonly buffer Table { HYPER table[]; };
layout(std430, binding = 2) readonly buffer Chunks { Chunk chunks[]; };
layout(std430, binding = 3) readonly buffer Ranges { uint ranges[]; };

// Parity of this step, lanes in a table row.
layout(push_constant) uniform Push { uint parity; uint lanes; };

void update(uint i, HYPER h);

void main() {
  // The next step reads the other word, so no invocation can see its own step's increment.
  uint row = clock[CLOCK_ROW_EVEN + parity];
  if (gl_GlobalInvocationID.x == 0u) clock[CLOCK_ROW_EVEN + (parity ^ 1u)] = row + 1u;

  uint group = gl_WorkGroupID.x;
  for (uint c = ranges[group]; c < ranges[group + 1u]; c++) {
    Chunk chunk = chunks[c];
    HYPER h = table[row * lanes + chunk.lane];
    uint end = chunk.start + chunk.count;
    for (uint i = chunk.start + gl_LocalInvocationID.x; i < end; i += gl_WorkGroupSize.x) update(i, h);
  }
}
