// Layouts. Printed by tools/print_shaders.py from grilly/hyper.py; do not edit.
struct AdamW { float lr; float beta1; float beta2; float one_minus_beta1; float one_minus_beta2; float eps; float weight_decay; float debias1; float debias2; float maximize; float amsgrad; };
struct Chunk { uint start; uint count; uint lane; };
const uint CLOCK_ROW_EVEN = 0u;
const uint CLOCK_ROW_ODD = 1u;
const uint CLOCK_K_LO = 2u;
const uint CLOCK_K_HI = 3u;
const uint CLOCK_T_LO = 4u;
const uint CLOCK_T_HI = 5u;
const uint CLOCK_T_STRIDE = 6u;
const uint CLOCK_WORDS = 7u;
const uint JOB_TARGET = 0u;
const uint JOB_K_LO = 1u;
const uint JOB_K_HI = 2u;
const uint JOB_T_LO = 3u;
const uint JOB_T_HI = 4u;
const uint JOB_T_EXPONENT = 5u;
const uint JOB_WORDS = 6u;
