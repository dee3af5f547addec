#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``gamma`` at each of ``milestones`` that the step has reached.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 42u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  bool v0 = (jobs[at + 0u] != 0u);  // less(gamma, 0)
  X v1 = t;
  X v2 = x_from_words(jobs[at + 1u], jobs[at + 2u], jobs[at + 3u]);  // ahead
  X v3 = x_add(v1, v2);
  List v4 = List(at + 4u, 8u);  // milestones[]
  X v5 = x_reached(v3, v4);
  X v6 = x_from_words(jobs[at + 28u], jobs[at + 29u], jobs[at + 30u]);  // 2
  X v7 = x_remainder(v5, v6);
  X v8 = x_from_words(jobs[at + 31u], jobs[at + 32u], jobs[at + 33u]);  // 1
  bool v9 = x_equal(v7, v8);
  bool v10 = (v0 && v9);
  X v11 = x_from_words(jobs[at + 34u], jobs[at + 35u], jobs[at + 36u]);  // value
  L v12 = l_from_words(jobs[at + 37u], jobs[at + 38u], jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // log2_of_base(absolute(gamma))
  X v13 = x_power_from_log(v12, v5);
  X v14 = x_mul(v11, v13);
  X v15 = x_negative(v14);
  X v16 = x_where(v10, v15, v14);
  return v16;
}
