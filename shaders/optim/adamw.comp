#version 450
#extension GL_GOOGLE_include_directive : require
// AdamW (I. Loshchilov and F. Hutter, arXiv:1711.05101) and its AMSGrad form (arXiv:1904.09237).
// Only + - * / sqrt, each `precise`, in the order of grilly/cpu.py: the same bits as numpy.
#define HYPER AdamW
#include "step.glsl"

layout(constant_id = 1) const bool AMSGRAD = false;
layout(std430, binding = 4) buffer Param { vec4 param[]; };
layout(std430, binding = 5) readonly buffer Grad { vec4 grad[]; };
layout(std430, binding = 6) buffer ExpAvg { vec4 exp_avg[]; };
layout(std430, binding = 7) buffer ExpAvgSq { vec4 exp_avg_sq[]; };
layout(std430, binding = 8) buffer MaxExpAvgSq { vec4 max_exp_avg_sq[]; };

void update(uint i, AdamW h) {
  precise float sign = 1.0 - 2.0 * h.maximize;
  precise vec4 g = sign * grad[i];
  precise vec4 kept_m = h.beta1 * exp_avg[i];
  precise vec4 new_m = (1.0 - h.beta1) * g;
  precise vec4 m = kept_m + new_m;
  precise vec4 gg = g * g;
  precise vec4 kept_v = h.beta2 * exp_avg_sq[i];
  precise vec4 new_v = (1.0 - h.beta2) * gg;
  precise vec4 v = kept_v + new_v;
  exp_avg[i] = m;
  exp_avg_sq[i] = v;
  if (AMSGRAD && h.amsgrad != 0.0) {
    vec4 largest = max_exp_avg_sq[i];
    v = mix(v, largest, lessThanEqual(v, largest));
    max_exp_avg_sq[i] = v;
  }
  precise float decay = h.lr * h.weight_decay;
  precise vec4 decayed = decay * param[i];
  precise vec4 p = param[i] - decayed;
  precise vec4 root = sqrt(v);
  precise vec4 scaled = root * h.debias2;
  precise vec4 denominator = scaled + h.eps;
  precise vec4 ratio = m / denominator;
  precise float step_size = h.lr * h.debias1;
  precise vec4 change = step_size * ratio;
  precise vec4 q = p - change;
  param[i] = q;
}
