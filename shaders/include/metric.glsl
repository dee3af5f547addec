// A metric in memory: a float32, or the two words of a float64. Needs metrics[] and float64.glsl.
uvec2 metric_at(uint word, uint words) {
  uint first = metrics[word];
  if (words == 1u) return f64_from_float32(first);
  return uvec2(first, metrics[word + 1u]);
}
