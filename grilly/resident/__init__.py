"""What lives on a device: arrays, the user's kernels, and tapes, which need no host to replay."""
