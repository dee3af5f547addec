// What the host reads of an epoch: the mean loss of its batches, the last ones, and the accuracy.
#version 450

layout(local_size_x = 1) in;

layout(std430, binding = 0) readonly buffer History { float history[]; };    // (all batches)
layout(std430, binding = 1) readonly buffer Cursor { float cursor; };        // batches done so far
layout(std430, binding = 2) readonly buffer Hits { float hits[]; };          // (rows)
layout(std430, binding = 3) writeonly buffer Loss { float loss; };
layout(std430, binding = 4) writeonly buffer Accuracy { float accuracy; };
layout(push_constant) uniform Push { uint batches, rows; };

void main() {
  uint end = uint(cursor);
  precise float sum = 0.0;
  for (uint i = end - batches; i < end; i++) sum += history[i];
  loss = sum / float(batches);
  float found = 0.0;
  for (uint row = 0; row < rows; row++) found += hits[row];
  accuracy = found / float(rows);
}
