#version 450
#extension GL_GOOGLE_include_directive : require
// The exponential moving average of a metric: Ema of grilly/reductions.py.
#include "float64.glsl"
#include "reduce_words.glsl"

layout(local_size_x = 1) in;
layout(std430, binding = 0) readonly buffer Settings { uint settings[]; };
layout(std430, binding = 1) buffer State { uint state[]; };
layout(std430, binding = 2) readonly buffer Metric { uint metrics[]; };
layout(push_constant) uniform Push { uint metric; uint metric_words; } push;

#include "metric.glsl"

// The average with the metric in it, debiased if that is asked for.
uvec2 averaged(uvec2 metric) {
  bool debias = settings[EMA_SETTING_DEBIAS] != 0u;
  uvec2 decay = setting(EMA_SETTING_DECAY), seen = held(EMA_SEEN);
  uvec2 average = f64_mul(decay, held(EMA_AVERAGE));
  average = f64_add(average, f64_mul(setting(EMA_SETTING_FRESH), metric));
  average = u64_select(!debias && seen == F64_ZERO, metric, average);
  uvec2 weight = f64_mul(held(EMA_WEIGHT), decay);
  hold(EMA_AVERAGE, average);
  hold(EMA_WEIGHT, weight);
  hold(EMA_SEEN, f64_add(seen, F64_ONE));
  return u64_select(debias, f64_div(average, f64_sub(F64_ONE, weight)), average);
}

void main() {
  uvec2 value = metric_at(push.metric, push.metric_words);
  if (f64_is_finite(value)) value = averaged(value);
  hold(EMA_VALUE, value);
  state[EMA_VALUE32] = f64_to_float32(value);
}
