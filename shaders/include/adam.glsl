// Adam (D. Kingma and J. Ba, arXiv:1412.6980), AdamW (I. Loshchilov and F. Hutter, arXiv:1711.05101)
// and their AMSGrad forms (arXiv:1904.09237). HYPER is AdamW, or Adam with COUPLED defined: its
// weight decay is part of the gradient. AMSGRAD adds a state.
// Only + - * / sqrt, each `precise`, in the order of grilly/cpu_kernels.py: the same bits as numpy.
#include "step.glsl"

layout(std430, binding = SLAB(0)) buffer Param { vec4 param[]; };
layout(std430, binding = SLAB(1)) readonly buffer Grad { vec4 grad[]; };
layout(std430, binding = SLAB(2)) buffer ExpAvg { vec4 exp_avg[]; };
layout(std430, binding = SLAB(3)) buffer ExpAvgSq { vec4 exp_avg_sq[]; };
#ifdef AMSGRAD
layout(std430, binding = SLAB(4)) buffer MaxExpAvgSq { vec4 max_exp_avg_sq[]; };
#endif

void main() {
  BEGIN(row)
  FOR_CHUNKS(c) {
    Chunk chunk = chunks[c];
    HYPER h = table[row * lanes + chunk.lane];
    precise float step_size = h.lr * h.debias1;
    // To maximize, the gradient's sign changes; its square does not see it.
    bool maximize = h.maximize != 0.0;
    float new1 = maximize ? -h.one_minus_beta1 : h.one_minus_beta1;
#ifdef COUPLED
    bool decaying = h.weight_decay != 0.0;
    uvec4 decays = mask_of(decaying);
    // Without decay an infinite weight must not make the gradient nan: adding -0 changes no bit.
    float decay = decaying ? (maximize ? -h.weight_decay : h.weight_decay) : -0.0;
#else
    precise float decay = h.lr * h.weight_decay;
#endif
    // As vec4, once a chunk: drivers spread a scalar anew in every turn of the loop.
    vec4 keep1_4 = vec4(h.beta1), new1_4 = vec4(new1), keep2_4 = vec4(h.beta2), new2_4 = vec4(h.one_minus_beta2);
    vec4 decay_4 = vec4(decay), step_4 = vec4(step_size), debias2_4 = vec4(h.debias2), eps_4 = vec4(h.eps);

    uint end = chunk.start + chunk.count;
    // The order of the lines is the fastest of some hundred that were tried on SwiftShader.
    FOR_FLOAT4(i, chunk.start, end) {
#ifdef COUPLED
      GRADIENT(given, i)
      vec4 p = param[i];
      precise vec4 decayed = decay_4 * masked(p, decays);
      precise vec4 g = given + decayed;
#else
      GRADIENT(g, i)
#endif
      vec4 old_v = exp_avg_sq[i], old_m = exp_avg[i];
      precise vec4 gg = g * g;
      precise vec4 kept_v = keep2_4 * old_v;
      precise vec4 new_v = new2_4 * gg;
      precise vec4 v = kept_v + new_v;
      exp_avg_sq[i] = v;
#ifdef AMSGRAD
      if (h.amsgrad != 0.0) {
        vec4 largest = max_exp_avg_sq[i];
        v = mix(v, largest, lessThanEqual(v, largest));
        max_exp_avg_sq[i] = v;
      }
#endif
      precise vec4 root = sqrt(v);
      precise vec4 unbiased = root * debias2_4;
      precise vec4 denominator = unbiased + eps_4;
      precise vec4 kept_m = keep1_4 * old_m;
      precise vec4 new_m = new1_4 * g;
      precise vec4 m = kept_m + new_m;
      precise vec4 ratio = m / denominator;
      precise vec4 change = step_4 * ratio;
#ifdef COUPLED
      precise vec4 new_p = p - change;
#else
      vec4 p = param[i];
      precise vec4 decayed = decay_4 * p;
      precise vec4 kept_p = p - decayed;
      precise vec4 new_p = kept_p - change;
#endif
      param[i] = new_p;
      exp_avg[i] = m;
    }
  }
}
