#version 450
#extension GL_GOOGLE_include_directive : require
// grilly/rules/greedy.py and GreedyLR: values rise while a metric improves and fall while not.
#include "rule.glsl"

const int UP = 1, DOWN = -1, STAY = 0;

// The mean of the last metrics, by a running sum.
uvec2 smoothed(uint at, uint counts, uvec2 metric) {
  if (settings[at + SETTING_SMOOTH] == 0u) return metric;
  uint ring = settings[at + SETTING_RING], places = settings[at + SETTING_WINDOW_SIZE];
  uint oldest = state[counts + STATE_OLDEST], many = state[counts + STATE_HELD];
  uvec2 total = f64_add(held(counts + STATE_TOTAL), metric);
  bool full = many == places;
  if (full) total = f64_sub(total, held(ring + 2u * oldest));
  hold(ring + 2u * ((oldest + many) % places), metric);
  if (full) state[counts + STATE_OLDEST] = (oldest + 1u) % places;
  many += uint(!full);
  state[counts + STATE_HELD] = many;
  hold(counts + STATE_TOTAL, total);
  return f64_div(total, f64_from_uint(many));
}

// Takes one from a count that is above 0; whether it was.
bool waited(uint word) {
  uvec2 waiting = held(word);
  if (!f64_less(F64_ZERO, waiting)) return false;
  hold(word, f64_sub(waiting, F64_ONE));
  return true;
}

// Counts a metric; which way the values are to go.
int judged(uint at, uint counts, uvec2 metric) {
  if (waited(counts + STATE_COOLDOWN)) return STAY;
  if (waited(counts + STATE_WARMUP)) return STAY;
  bool better = improved(at, counts, metric);
  uint more = counts + (better ? STATE_GOOD : STATE_BAD);
  uint none = counts + (better ? STATE_BAD : STATE_GOOD);
  uvec2 count = f64_add(held(more), F64_ONE);
  hold(more, count);
  hold(none, F64_ZERO);
  // The other count is 0 and may be above a patience below 0.
  uvec2 patience = setting(at + SETTING_PATIENCE);
  if (f64_less(patience, held(counts + STATE_GOOD))) {
    hold(counts + STATE_GOOD, F64_ZERO);
    hold(counts + STATE_WARMUP, setting(at + SETTING_WARMUP));
    return UP;
  }
  if (!f64_less(patience, held(counts + STATE_BAD))) return STAY;
  hold(counts + STATE_BAD, F64_ZERO);
  hold(counts + STATE_COOLDOWN, setting(at + SETTING_COOLDOWN));
  return DOWN;
}

// Begins anew: nothing is counted, and the best metric is the worst.
void forget(uint at, uint counts) {
  bool maximize = settings[at + SETTING_MAXIMIZE] != 0u;
  hold(counts + STATE_BEST, u64_select(maximize, f64_negative(F64_INFINITY), F64_INFINITY));
  hold(counts + STATE_GOOD, F64_ZERO);
  hold(counts + STATE_BAD, F64_ZERO);
  hold(counts + STATE_COOLDOWN, F64_ZERO);
  hold(counts + STATE_WARMUP, F64_ZERO);
  hold(counts + STATE_RESETS_IN, setting(at + SETTING_RESET_ANEW));
  hold(counts + STATE_TOTAL, F64_ZERO);
  state[counts + STATE_OLDEST] = 0u;
  state[counts + STATE_HELD] = 0u;
}

uvec2 value(uint at, uint i) { return held(settings[at + SETTING_VALUES] + 2u * i); }
uvec2 bound(uint at, uint i, uint which) {
  return setting(settings[at + SETTING_BOUNDS] + GREEDY_BOUND_WORDS * i + which);
}

uvec2 lower(uint at, uint i) { return reduced(at, value(at, i), bound(at, i, BOUND_LEAST)); }

// min(value / factor, most), or the value if that is more than by eps.
uvec2 higher(uint at, uint i) {
  uvec2 most = bound(at, i, BOUND_MOST);
  uvec2 up = f64_div(value(at, i), setting(at + SETTING_FACTOR));
  up = u64_select(f64_less(most, up), most, up);
  bool enough = f64_less(setting(at + SETTING_EPS), f64_sub(up, value(at, i)));
  return u64_select(enough, up, value(at, i));
}

void raise_values(uint at, uint counts) {
  hold(counts + STATE_RESETS_IN, setting(at + SETTING_RESET_START));
  for (uint i = 0u; i < settings[at + SETTING_COUNT]; i++) put(at, i, higher(at, i));
}

void cut_values(uint at, uint counts) {
  uint many = settings[at + SETTING_COUNT];
  bool at_least = true;
  for (uint i = 0u; i < many; i++) {
    if (f64_less(bound(at, i, BOUND_LEAST), lower(at, i))) at_least = false;
  }
  uvec2 left = held(counts + STATE_RESETS_IN);
  bool anew = at_least && !f64_less(F64_ONE, left);
  if (anew) forget(at, counts);
  else if (at_least) hold(counts + STATE_RESETS_IN, f64_sub(left, F64_ONE));
  for (uint i = 0u; i < many; i++) {
    put(at, i, anew ? bound(at, i, BOUND_FIRST) : lower(at, i));
  }
}

void advance(uint at, uvec2 metric) {
  uint counts = settings[at + SETTING_STATE];
  if (!admitted(at, counts, metric)) return;
  int way = judged(at, counts, smoothed(at, counts, metric));
  if (way == UP) raise_values(at, counts);
  if (way == DOWN) cut_values(at, counts);
}

void main() {
  uvec2 metric = given_metric();
  for (uint i = 0u; i < push.rules; i++) advance(GREEDY_SETTING_WORDS * i, metric);
}
