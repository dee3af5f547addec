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
  uvec2 bad = f64_add(held(counts + STATE_BAD), F64_ONE);
  uvec2 waiting = held(counts + STATE_COOLDOWN);
  bool waits = f64_less(F64_ZERO, waiting);
  waiting = u64_select(waits, f64_sub(waiting, F64_ONE), waiting);
  bad = u64_select(better || waits, F64_ZERO, bad);
  bool cut = f64_less(setting(at + SETTING_PATIENCE), bad);
  hold(counts + STATE_BAD, u64_select(cut, F64_ZERO, bad));
  hold(counts + STATE_COOLDOWN, u64_select(cut, setting(at + SETTING_COOLDOWN), waiting));
  return cut;
}

void advance(uint at, uvec2 metric) {
  uint counts = settings[at + SETTING_STATE];
  if (!admitted(at, counts, metric)) return;
  if (!accumulated(at, counts, metric)) return;
  if (!judged(at, counts, metric)) return;
  for (uint i = 0u; i < settings[at + SETTING_COUNT]; i++) {
    uvec2 least = setting(settings[at + SETTING_BOUNDS] + PLATEAU_BOUND_WORDS * i);
    put(at, i, reduced(at, held(settings[at + SETTING_VALUES] + 2u * i), least));
  }
}

void main() {
  uvec2 metric = given_metric();
  for (uint i = 0u; i < push.rules; i++) advance(PLATEAU_SETTING_WORDS * i, metric);
}
