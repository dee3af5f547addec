// SGD with momentum as torch has it (I. Sutskever et al., ICML 2013, in its other parametrization):
// g = grad + weight_decay p;  buffer = momentum buffer + fresh g;  p = p - lr buffer, with Nesterov
// p - lr (g + momentum buffer). MOMENTUM adds the state.
// Only + - *, each `precise`, in the order of grilly/cpu_kernels.py: the same bits as numpy.
#define HYPER SGD
#include "step.glsl"

layout(std430, binding = SLAB(0)) buffer Param { vec4 param[]; };
layout(std430, binding = SLAB(1)) readonly buffer Grad { vec4 grad[]; };
#ifdef MOMENTUM
layout(std430, binding = SLAB(2)) buffer MomentumBuffer { vec4 momentum_buffer[]; };
#endif

// Declares p and the gradient g. Without decay an infinite weight must not make g nan.
#define TAKE_GRADIENT(i) \
  vec4 p = param[i]; \
  GRADIENT(given, i) \
  precise vec4 decayed = decay_4 * p; \
  precise vec4 sum = given + decayed; \
  vec4 g = mix(given, sum, decays);

void main() {
  BEGIN(row)
  FOR_CHUNKS(c) {
    Chunk chunk = chunks[c];
    SGD h = table[row * lanes + chunk.lane];
    // To maximize, the gradient's sign changes. The constants take the sign, so g is its negative.
    float sign = h.maximize != 0.0 ? -1.0 : 1.0;
    vec4 decay_4 = vec4(sign * h.weight_decay), rate_4 = vec4(sign * h.lr);
    bvec4 decays = bvec4(h.weight_decay != 0.0);
    uint end = chunk.start + chunk.count;
#ifdef MOMENTUM
    if (h.momentum != 0.0) {
      vec4 keep_4 = vec4(h.momentum), fresh_4 = vec4(sign * h.fresh);
      vec4 ahead_4 = vec4(sign * h.momentum);
      bvec4 nesterov = bvec4(h.nesterov != 0.0);
      vec4 step_4 = mix(vec4(h.lr), rate_4, nesterov);
      FOR_FLOAT4(i, chunk.start, end) {
        TAKE_GRADIENT(i)
        precise vec4 kept = keep_4 * momentum_buffer[i];
        precise vec4 new = fresh_4 * g;
        precise vec4 buf = kept + new;
        momentum_buffer[i] = buf;
        precise vec4 ahead = ahead_4 * buf;
        precise vec4 looked = g + ahead;
        vec4 direction = mix(buf, looked, nesterov);
        precise vec4 change = step_4 * direction;
        precise vec4 new_p = p - change;
        param[i] = new_p;
      }
      continue;
    }
#endif
    FOR_FLOAT4(i, chunk.start, end) {
      TAKE_GRADIENT(i)
      precise vec4 change = rate_4 * g;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
  }
}
