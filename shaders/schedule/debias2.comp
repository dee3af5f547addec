#version 450
#extension GL_GOOGLE_include_directive : require
// 1 / sqrt(1 - beta(t)**k): unbiases the root of Adam's mean square (arXiv:1412.6980).
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 8u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1.0
  L v1 = l_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u], jobs[at + 6u], jobs[at + 7u]);  // log2_of_base(beta.value)
  X v2 = k;
  X v3 = x_power_from_log(v1, v2);
  X v4 = x_sub(v0, v3);
  X v5 = x_sqrt(v4);
  X v6 = x_div(v0, v5);
  return v6;
}
