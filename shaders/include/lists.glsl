// Lists of numbers among a formula's constants, of which it counts or picks some.
struct List { uint at; uint count; };

X list_number(List list, uint i) {
  uint word = list.at + 3u * i;
  return x_from_words(jobs[word], jobs[word + 1u], jobs[word + 2u]);
}

// How many of the bounds are <= t.
X x_reached(X t, List bounds) {
  uint found = 0u;
  for (uint i = 0u; i < bounds.count; i++) found += uint(x_less_equal(list_number(bounds, i), t));
  return x_from_int64(uvec2(found, 0u));
}

// Number floor(i), the first or last where there is none.
X x_pick(X i, List values) {
  uint last = values.count - 1u;
  uint whole = min(u64_shift_right(x_significand(i), clamp(64 - i.e, 0, 64)).x, last);
  whole = mix(whole, last, i.e > 31);
  return list_number(values, whole & -(uint(i.e > 0) & (i.s ^ 1u)));
}
