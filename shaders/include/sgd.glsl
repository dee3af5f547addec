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
// g is the negative of the gradient: with decay, decay p - given; without, where an infinite weight
// must not make it nan, -0 - given. To maximize, its sign changes once more. The constants have the
// sign, so that no operation is spent on it; what is masked out changes no bit of a sum.
// The order of the lines is the fastest of some hundred that were tried on SwiftShader, by up to 1.1.
void main() {
  BEGIN(row)
  FOR_CHUNKS(c) {
    Chunk chunk = chunks[c];
    SGD h = table[row * lanes + chunk.lane];
    float sign = h.maximize != 0.0 ? 1.0 : -1.0;
    bool decaying = h.weight_decay != 0.0;
    uvec4 decays = mask_of(decaying);
    vec4 decay_4 = vec4(decaying ? sign * h.weight_decay : -0.0), rate_4 = vec4(sign * h.lr);
    uint end = chunk.start + chunk.count, end_without = end;
#ifdef MOMENTUM
    bool keeping = h.momentum != 0.0;
    uint end_with = keeping ? end : chunk.start;
    end_without = keeping ? chunk.start : end;
#endif
    FOR_FLOAT4(i, chunk.start, end_without) {
      vec4 p = param[i];
      GRADIENT(given, i)
      precise vec4 decayed = decay_4 * masked(p, decays);
      precise vec4 g = decayed - given;
      precise vec4 change = rate_4 * g;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
#ifdef MOMENTUM
    // Along the buffer, which has no sign; or along buffer and gradient, which takes the sign.
    bool looking = h.nesterov != 0.0;
    uvec4 looks = mask_of(looking);
    vec4 keep_4 = vec4(h.momentum), fresh_4 = vec4(sign * h.fresh);
    vec4 ahead_4 = vec4(looking ? -sign * h.momentum : 1.0);
    vec4 step_4 = vec4(looking ? -sign * h.lr : h.lr);
    FOR_FLOAT4(i, chunk.start, end_with) {
      vec4 old = momentum_buffer[i];
      GRADIENT(given, i)
      vec4 p = param[i];
      precise vec4 decayed = decay_4 * masked(p, decays);
      precise vec4 kept = keep_4 * old;
      precise vec4 g = decayed - given;
      precise vec4 new = fresh_4 * g;
      precise vec4 buf = kept + new;
      precise vec4 ahead = ahead_4 * buf;
      momentum_buffer[i] = buf;
      precise vec4 direction = ahead - masked(g, looks);
      precise vec4 change = step_4 * direction;
      precise vec4 new_p = p - change;
      param[i] = new_p;
    }
#endif
  }
}
#endif
