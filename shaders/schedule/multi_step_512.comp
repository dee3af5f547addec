#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``gamma`` at each of ``milestones`` that the step has reached.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 1554u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  bool v0 = (jobs[at + 0u] != 0u);  // less(gamma, 0)
  X v1 = t;
  X v2 = x_from_words(jobs[at + 1u], jobs[at + 2u], jobs[at + 3u]);  // ahead
  X v3 = x_add(v1, v2);
  List v4 = List(at + 4u, 512u);  // milestones[]
  X v5 = x_reached(v3, v4);
  X v6 = x_from_words(jobs[at + 1540u], jobs[at + 1541u], jobs[at + 1542u]);  // 2
  X v7 = x_remainder(v5, v6);
  X v8 = x_from_words(jobs[at + 1543u], jobs[at + 1544u], jobs[at + 1545u]);  // 1
  bool v9 = x_equal(v7, v8);
  bool v10 = (v0 && v9);
  X v11 = x_from_words(jobs[at + 1546u], jobs[at + 1547u], jobs[at + 1548u]);  // value
  L v12 = l_from_words(jobs[at + 1549u], jobs[at + 1550u], jobs[at + 1551u], jobs[at + 1552u], jobs[at + 1553u]);  // log2_of_base(absolute(gamma))
  X v13 = x_power_from_log(v12, v5);
  X v14 = x_mul(v11, v13);
  X v15 = x_negative(v14);
  X v16 = x_where(v10, v15, v14);
  return v16;
}
