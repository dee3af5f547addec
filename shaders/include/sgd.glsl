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

#ifdef PLAIN
// Where no group has weight decay or Nesterov's momentum; the same bits as below. Of the two loops
// one is empty: on lavapipe that is faster than a choice between them, on SwiftShader as fast.
void main() {
  BEGIN(row)
  FOR_CHUNKS(c) {
    Chunk chunk = chunks[c];
    SGD h = table[row * lanes + chunk.lane];
    float sign = h.maximize != 0.0 ? -1.0 : 1.0;
    uint end = chunk.start + chunk.count, end_without = end;
#ifdef MOMENTUM
    bool keeping = h.momentum != 0.0;
    uint end_with = keeping ? end : chunk.start;
    end_without = keeping ? chunk.start : end;
#endif
    vec4 rate_4 = vec4(sign * h.lr);
    FOR_FLOAT4(i, chunk.start, end_without) {
      vec4 p = param[i];
      GRADIENT(given, i)
      precise vec4 change = rate_4 * given;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
#ifdef MOMENTUM
    vec4 keep_4 = vec4(h.momentum), fresh_4 = vec4(sign * h.fresh), step_4 = vec4(h.lr);
    FOR_FLOAT4(i, chunk.start, end_with) {
      GRADIENT(given, i)
      precise vec4 new = fresh_4 * given;
      vec4 old = momentum_buffer[i];
      precise vec4 kept = keep_4 * old;
      precise vec4 buf = kept + new;
      precise vec4 change = step_4 * buf;
      vec4 p = param[i];
      precise vec4 new_p = p - change;
      momentum_buffer[i] = buf;
      param[i] = new_p;
    }
#endif
  }
}
#else
// g is the gradient and, with decay, decay p; without, where an infinite weight must not make it
// nan, -0, which changes no bit. The constants have the sign of `maximize`. Of the three loops two
// are empty, as above.
#define DECAYED(g, p, given) \
  precise vec4 decayed = decay_4 * masked(p, decays); \
  precise vec4 g = given + decayed;
// Weights, their g and their new buffer, which is stored.
#define BUFFERED(p, g, buf, i) \
  vec4 old = momentum_buffer[i]; \
  GRADIENT(given, i) \
  vec4 p = param[i]; \
  precise vec4 kept = keep_4 * old; \
  DECAYED(g, p, given) \
  precise vec4 new = fresh_4 * g; \
  precise vec4 buf = kept + new; \
  momentum_buffer[i] = buf;

void main() {
  BEGIN(row)
  FOR_CHUNKS(c) {
    Chunk chunk = chunks[c];
    SGD h = table[row * lanes + chunk.lane];
    float sign = h.maximize != 0.0 ? -1.0 : 1.0;
    bool decaying = h.weight_decay != 0.0;
    uvec4 decays = mask_of(decaying);
    vec4 decay_4 = vec4(decaying ? sign * h.weight_decay : -0.0), rate_4 = vec4(sign * h.lr);
    uint end = chunk.start + chunk.count, end_without = end;
#ifdef MOMENTUM
    bool keeping = h.momentum != 0.0, looking = h.nesterov != 0.0;
    uint end_with = keeping && !looking ? end : chunk.start;
    uint end_ahead = keeping && looking ? end : chunk.start;
    end_without = keeping ? chunk.start : end;
#endif
    FOR_FLOAT4(i, chunk.start, end_without) {
      vec4 p = param[i];
      GRADIENT(given, i)
      DECAYED(g, p, given)
      precise vec4 change = rate_4 * g;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
#ifdef MOMENTUM
    vec4 keep_4 = vec4(h.momentum), fresh_4 = vec4(sign * h.fresh), step_4 = vec4(h.lr);
    FOR_FLOAT4(i, chunk.start, end_with) {
      BUFFERED(p, g, buf, i)
      precise vec4 change = step_4 * buf;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
    vec4 ahead_4 = vec4(sign * h.momentum);
    FOR_FLOAT4(i, chunk.start, end_ahead) {
      BUFFERED(p, g, buf, i)
      precise vec4 ahead = ahead_4 * buf;
      precise vec4 direction = g + ahead;
      precise vec4 change = rate_4 * direction;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
#endif
  }
}
#endif
