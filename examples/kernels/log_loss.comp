// Notes the mean loss of a batch at the cursor, and moves the cursor on.
#version 450

layout(local_size_x = 1) in;

layout(std430, binding = 0) readonly buffer Losses { float losses[]; };     // (rows)
layout(std430, binding = 1) buffer Cursor { float cursor; };                // batches done so far
layout(std430, binding = 2) writeonly buffer History { float history[]; };  // (all batches)
layout(push_constant) uniform Push { uint rows; };

void main() {
  precise float sum = 0.0;
  for (uint row = 0; row < rows; row++) sum += losses[row];
  history[uint(cursor)] = sum / float(rows);
  cursor += 1.0;  // a float32 counts exactly to 2^24
}
