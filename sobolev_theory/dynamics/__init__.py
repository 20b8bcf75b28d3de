"""What training does: curvature, flows, descents, and where they end."""
