"""An orthonormal teacher."""
