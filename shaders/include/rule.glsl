// What the rules have in common: their buffers, what is better, and how a value is changed. Each
// operation is written where few calls reach it: a driver compiles it anew for every one of them.
#include "float64.glsl"
#include "rule_words.glsl"

layout(local_size_x = 1) in;
layout(std430, binding = 0) readonly buffer Settings { uint settings[]; };
layout(std430, binding = 1) buffer State { uint state[]; };
layout(std430, binding = 2) readonly buffer Metric { uint metrics[]; };
layout(std430, binding = 3) readonly buffer Targets { uint targets[]; };
layout(std430, binding = 4) buffer Jobs { uint jobs[]; };
layout(std430, binding = 5) buffer Flags { uint flags[]; };

#include "metric.glsl"

// Whether it is time for the rule to look at a metric; the time goes on.
bool awake(uint counts) {
  uint waits = state[counts + STATE_WAITS], left = state[counts + STATE_LEFT];
  state[counts + STATE_WAITS] = max(waits, 1u) - 1u;
  bool looks = waits == 0u && left != 0u;
  if (looks && left != ENDLESS) state[counts + STATE_LEFT] = left - 1u;
  return looks;
}

// Whether the rule at these settings sees the metric; if so it has counted it.
bool admitted(uint at, uint counts, uvec2 metric) {
  if (!awake(counts)) return false;
  uint policy = settings[at + SETTING_NONFINITE];
  if (!f64_is_finite(metric) && policy != NONFINITE_COUNT) {
    bool first = f64_is_zero(held(counts + STATE_REFUSED));
    if (first && policy == NONFINITE_RAISE) hold(counts + STATE_REFUSED, metric);
    return false;
  }
  hold(counts + STATE_SEEN, f64_add(held(counts + STATE_SEEN), F64_ONE));
  return true;
}

// Whether the metric is better than the best one, which it is from now on then.
bool improved(uint at, uint counts, uvec2 metric) {
  uvec2 limit = f64_mul(held(counts + STATE_BEST), setting(at + SETTING_SCALE));
  limit = f64_add(limit, setting(at + SETTING_MARGIN));
  bool maximize = settings[at + SETTING_MAXIMIZE] != 0u;
  bool better = f64_less(u64_select(maximize, limit, metric), u64_select(maximize, metric, limit));
  if (better) hold(counts + STATE_BEST, metric);
  return better;
}

// The words of a finite number as an xfloat, which holds it exactly; see x_to_words.
uvec3 xfloat_words(uvec2 number) {
  F64 parts = f64_parts(number);
  uint nonzero = -uint(parts.m.y != 0u);
  return uvec3(parts.m, (uint(parts.e - 1022) << 1 | parts.s) & nonzero);
}

// Makes value i of the rule ``number`` in the state and in its targets, if it is another.
void put(uint at, uint i, uvec2 number) {
  uint word = settings[at + SETTING_VALUES] + 2u * i;
  uvec2 old = held(word);
  if (!f64_less(old, number) && !f64_less(number, old)) return;
  hold(word, number);
  uvec3 words = xfloat_words(number);
  uint span = settings[at + SETTING_SPANS] + i;
  for (uint j = targets[span]; j < targets[span + 1u]; j++) {
    uint target = targets[j];
    jobs[target] = words.x;
    jobs[target + 1u] = words.y;
    jobs[target + 2u] = words.z;
  }
  flags[FLAG_DIRTY] = 1u;
}
