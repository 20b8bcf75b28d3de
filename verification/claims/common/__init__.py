"""What claims of all parts share: domains, sources, frames, wrong twins, bounds."""
