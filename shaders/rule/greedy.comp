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

// Whether the count is above a patience; it is 0 then.
bool passed(uint at, uint word) {
  if (!f64_less(setting(at + SETTING_PATIENCE), held(word))) return false;
  hold(word, F64_ZERO);
  return true;
}

// Counts a metric; which way the values are to go.
int judged(uint at, uint counts, uvec2 metric) {
  uint good = counts + STATE_GOOD, bad = counts + STATE_BAD, word = counts + STATE_COOLDOWN;
  bool waits = f64_less(F64_ZERO, held(word));
  if (!waits) {
    word = counts + STATE_WARMUP;
    waits = f64_less(F64_ZERO, held(word));
  }
  if (!waits) {
    bool better = improved(at, counts, metric);
    word = better ? good : bad;
    hold(better ? bad : good, F64_ZERO);
  }
  hold(word, f64_add(held(word), waits ? F64_MINUS_ONE : F64_ONE));
  if (waits) return STAY;
  if (passed(at, good)) {
    hold(counts + STATE_WARMUP, setting(at + SETTING_WARMUP));
    return UP;
  }
  if (!passed(at, bad)) return STAY;
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

// min(value / factor, most) on the way up and max(value * factor, least) on the way down, or the
// value if that is another by eps or less.
uvec2 moved(uint at, uint i, bool up) {
  uvec2 old = value(at, i), factor = setting(at + SETTING_FACTOR);
  uvec2 number, limit = bound(at, i, up ? BOUND_MOST : BOUND_LEAST);
  if (up) number = f64_div(old, factor);
  else number = f64_mul(old, factor);
  bool over = f64_less(u64_select(up, limit, number), u64_select(up, number, limit));
  number = u64_select(over, limit, number);
  uvec2 change = f64_sub(u64_select(up, number, old), u64_select(up, old, number));
  return u64_select(f64_less(setting(at + SETTING_EPS), change), number, old);
}

// What to do when all values stand at their least: whether all begins anew.
bool counted_down(uint at, uint counts) {
  uvec2 left = held(counts + STATE_RESETS_IN);
  bool anew = !f64_less(F64_ONE, left);
  if (anew) forget(at, counts);
  else hold(counts + STATE_RESETS_IN, f64_sub(left, F64_ONE));
  return anew;
}

// Looks at all values in a first round and puts them in a second one: none is written twice.
void move(uint at, uint counts, bool up) {
  uint many = settings[at + SETTING_COUNT];
  bool at_least = !up, anew = false;
  if (up) hold(counts + STATE_RESETS_IN, setting(at + SETTING_RESET_START));
  for (uint k = up ? many : 0u; k < 2u * many; k++) {
    uint i = k < many ? k : k - many;
    if (k == many && at_least) anew = counted_down(at, counts);
    uvec2 number = moved(at, i, up);
    if (k < many) at_least = at_least && !f64_less(bound(at, i, BOUND_LEAST), number);
    else put(at, i, anew ? bound(at, i, BOUND_FIRST) : number);
  }
}

void advance(uint at, uvec2 metric) {
  uint counts = settings[at + SETTING_STATE];
  if (!admitted(at, counts, metric)) return;
  int way = judged(at, counts, smoothed(at, counts, metric));
  if (way != STAY) move(at, counts, way == UP);
}

void main() {
  uvec2 metric = metric_at(push.metric, push.metric_words);
  for (uint i = 0u; i < push.rules; i++) advance(GREEDY_SETTING_WORDS * i, metric);
}
