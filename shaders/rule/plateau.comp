#version 450
#extension GL_GOOGLE_include_directive : require
// grilly/rules/plateau.py and ReduceLROnPlateau: values are cut when a metric no longer improves.
#include "rule.glsl"

// Takes the metric into the mean of as many as are judged at once; whether there are enough.
bool accumulated(uint at, uint counts, inout uvec2 metric) {
  uvec2 wanted = setting(at + SETTING_ACCUMULATION);
  if (wanted == F64_ZERO) return true;
  uvec2 before = held(counts + STATE_COUNT);
  uvec2 count = f64_add(before, F64_ONE);
  uvec2 mean = f64_add(f64_mul(before, held(counts + STATE_MEAN)), metric);
  metric = f64_div(mean, count);
  bool enough = !f64_less(count, wanted);
  hold(counts + STATE_COUNT, u64_select(enough, F64_ZERO, count));
  hold(counts + STATE_MEAN, u64_select(enough, F64_ZERO, metric));
  return enough;
}

// Counts a metric; whether the values are to be cut now.
bool judged(uint at, uint counts, uvec2 metric) {
  bool better = improved(at, counts, metric);
  uvec2 waiting = held(counts + STATE_COOLDOWN), bad = held(counts + STATE_BAD);
  bool waits = f64_less(F64_ZERO, waiting);
  uvec2 next = f64_add(u64_select(waits, waiting, bad), waits ? F64_MINUS_ONE : F64_ONE);
  waiting = u64_select(waits, next, waiting);
  bad = u64_select(better || waits, F64_ZERO, next);
  bool cut = f64_less(setting(at + SETTING_PATIENCE), bad);
  hold(counts + STATE_BAD, u64_select(cut, F64_ZERO, bad));
  hold(counts + STATE_COOLDOWN, u64_select(cut, setting(at + SETTING_COOLDOWN), waiting));
  return cut;
}

// max(value * factor, least), or the value if that is less than by eps.
uvec2 reduced(uint at, uint i) {
  uvec2 value = held(settings[at + SETTING_VALUES] + 2u * i);
  uvec2 least = setting(settings[at + SETTING_BOUNDS] + PLATEAU_BOUND_WORDS * i);
  uvec2 lower = f64_mul(value, setting(at + SETTING_FACTOR));
  lower = u64_select(f64_less(lower, least), least, lower);
  bool enough = f64_less(setting(at + SETTING_EPS), f64_sub(value, lower));
  return u64_select(enough, lower, value);
}

void advance(uint at, uvec2 metric) {
  uint counts = settings[at + SETTING_STATE];
  if (!admitted(at, counts, metric)) return;
  if (!accumulated(at, counts, metric)) return;
  if (!judged(at, counts, metric)) return;
  for (uint i = 0u; i < settings[at + SETTING_COUNT]; i++) put(at, i, reduced(at, i));
}

void main() {
  uvec2 metric = metric_at(push.metric, push.metric_words);
  for (uint i = 0u; i < push.rules; i++) advance(PLATEAU_SETTING_WORDS * i, metric);
}
