// What counts metrics: its settings and state, two words a float64, and the metric. Needs settings[],
// state[], metrics[] and float64.glsl.
uvec2 setting(uint word) { return uvec2(settings[word], settings[word + 1u]); }
uvec2 held(uint word) { return uvec2(state[word], state[word + 1u]); }
void hold(uint word, uvec2 number) {
  state[word] = number.x;
  state[word + 1u] = number.y;
}

// A metric in memory: a float32, or the two words of a float64.
uvec2 metric_at(uint word, uint words) {
  uint first = metrics[word];
  if (words == 1u) return f64_from_float32(first);
  return uvec2(first, metrics[word + 1u]);
}
