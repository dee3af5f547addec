#version 450
#extension GL_GOOGLE_include_directive : require
// AdamW with the largest second moment as a state, used by the groups that ask for it. A file of its
// own: as a branch in the loop it made SwiftShader's AdamW 1.2 times slower, even when not taken.
#define HYPER AdamW
#define AMSGRAD
#include "adam.glsl"
