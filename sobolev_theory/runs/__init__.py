"""What long computations need and no theory knows: files, checkpoints, processes, sweeps."""
